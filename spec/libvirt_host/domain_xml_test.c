/* Links with all of src/ but the binding, and its libraries. */
#include "libvirt_host/domain_xml.h"

#include "../support/check.h"

#include <libxml/parser.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a real host's live XML has, in small. */
static const char GOOD[] =
    "<domain type='kvm' id='7' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
    "  <name>web &amp; db</name>\n"
    "  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>\n"
    "  <metadata><a:x xmlns:a='http://example.org/'><interface type='bad'/></a:x>\n"
    "    <v:baseline xmlns:v='urn:vmaccountant:baseline' version='1' domain='7' "
    "boot='0e5b6f6a-2e3c-4a86-9d3f-1f0a1c5c9b77' process='812345' ordinal='2' clock='8205127' "
    "reset='1795254509123'>\n"
    "      <v:adapter mac='52-54-00-12-34-56' device='vnet3' ifindex='12' sent='20882' "
    "received='4096'/>\n"
    "    </v:baseline></metadata>\n"
    "  <devices>\n"
    "    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n"
    "    <interface type='bridge'>\n"
    "      <mac address='52:54:00:12:34:56'/>\n"
    "      <source bridge='br0'/>\n"
    "      <target dev='vnet3'/>\n"
    "      <model type='virtio'/>\n"
    "      <alias name='net0'/>\n"
    "    </interface>\n"
    "    <interface type='network'>\n"
    "      <mac address='52:54:00:AB:cd:EF'/>\n"
    "      <source network='default' portid='1' bridge='virbr0'/>\n"
    "      <target dev='vnet4' managed='no'/>\n"
    "      <alias name='net1'/>\n"
    "    </interface>\n"
    "  </devices>\n"
    "  <qemu:commandline><qemu:arg value='-foo'/></qemu:commandline>\n"
    "</domain>\n";

static bool is_text(const char *text, const char *expected)
{
    return expected == NULL ? text == NULL : text != NULL && strcmp(text, expected) == 0;
}

/* The adapters, to be released by the caller, and the ID of a definition. */
static bool try_parse(const char *xml, struct adapter_list **adapters, int64_t *domain_id,
                      struct fault *fault)
{
    struct domain_definition definition;
    if (!domain_xml_parse(xml, &definition, fault))
        return false;
    *adapters = adapter_list_hold(definition.adapters);
    *domain_id = definition.domain_id;
    domain_definition_clear(&definition);
    return true;
}

/* Parses a text that must be accepted; the caller releases the list. */
static struct adapter_list *parse(const char *xml, int64_t *domain_id)
{
    struct adapter_list *adapters = NULL;
    struct fault fault;
    if (!CHECK(try_parse(xml, &adapters, domain_id, &fault))) {
        printf("%s\n", fault.message);
        abort();
    }
    return adapters;
}

/* Whether the text is refused with a fault whose message has the words. */
static bool is_refused(const char *xml, const char *words)
{
    struct adapter_list *adapters = NULL;
    struct fault fault = {0};
    int64_t domain_id = 0;
    if (try_parse(xml, &adapters, &domain_id, &fault)) {
        adapter_list_release(adapters);
        return false;
    }
    return adapters == NULL && fault.code == HRESULT_DISP_E_EXCEPTION &&
           strstr(fault.message, words) != NULL;
}

static char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/* The text, to be freed by the caller. */
static char *format(const char *pattern, ...)
{
    va_list arguments, again;
    va_start(arguments, pattern);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, pattern, arguments);
    char *text = malloc((size_t)length + 1);
    if (text == NULL)
        abort();
    vsnprintf(text, (size_t)length + 1, pattern, again);
    va_end(again);
    va_end(arguments);
    return text;
}

static char *repeat(const char *text, size_t times)
{
    size_t length = strlen(text);
    char *repeated = malloc(length * times + 1);
    if (repeated == NULL)
        abort();
    for (size_t i = 0; i < times; i++)
        memcpy(repeated + i * length, text, length);
    repeated[length * times] = '\0';
    return repeated;
}

static void a_live_definition_is_read_in_its_order(void)
{
    int64_t id = 0;
    struct adapter_list *list = parse(GOOD, &id);
    static const uint8_t first[MAC_SIZE] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    static const uint8_t second[MAC_SIZE] = {0x52, 0x54, 0x00, 0xab, 0xcd, 0xef};

    CHECK(id == 7);
    if (CHECK(list->count == 2)) {
        const struct adapter *a = &list->adapters[0], *b = &list->adapters[1];
        CHECK(memcmp(a->mac, first, MAC_SIZE) == 0);
        CHECK(is_text(a->type, "bridge"));
        CHECK(is_text(a->source, "br0"));
        CHECK(is_text(a->device, "vnet3"));
        CHECK(is_text(a->alias, "net0"));
        CHECK(!a->is_unmanaged);
        CHECK(memcmp(b->mac, second, MAC_SIZE) == 0);
        CHECK(is_text(b->type, "network"));
        CHECK(is_text(b->source, "default")); /* the network's name, not its bridge's */
        CHECK(is_text(b->device, "vnet4"));
        CHECK(is_text(b->alias, "net1"));
        CHECK(b->is_unmanaged);
    }
    adapter_list_release(list);
}

static void the_baseline_is_read_from_the_metadata(void)
{
    struct domain_definition definition;
    struct fault fault;

    CHECK(domain_xml_parse(GOOD, &definition, &fault));
    CHECK(definition.complaint == NULL);
    if (CHECK(definition.baseline != NULL)) {
        CHECK(definition.baseline->domain_id == 7);
        CHECK(definition.baseline->count == 1);
    }
    domain_definition_clear(&definition);
    CHECK(domain_xml_parse("<domain><metadata/><devices/></domain>", &definition, &fault));
    CHECK(definition.baseline == NULL && definition.complaint == NULL);
    domain_definition_clear(&definition);
}

static void every_kind_of_source_is_known_by_its_name(void)
{
    static const struct {
        const char *type, *source, *expected;
    } kinds[] = {
        {"bridge", "<source bridge='br0'/>", "br0"},
        {"network", "<source network='default'/>", "default"},
        {"network", "<source network='lan' portgroup='web'/>", "lan"},
        {"direct", "<source dev='eth0' mode='bridge'/>", "eth0"},
        {"vdpa", "<source dev='/dev/vhost-vdpa-0'/>", "/dev/vhost-vdpa-0"},
        {"vhostuser", "<source type='unix' path='/run/vhost.sock' mode='client'/>",
         "/run/vhost.sock"},
        {"hostdev", "<source><address type='pci' bus='0x01'/></source>", NULL},
        {"mcast", "<source address='230.0.0.1' port='5558'/>", NULL},
        {"ethernet", "", NULL},
        {"user", "", NULL},
        {"null", "", NULL},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        int64_t id;
        char *xml = format("<domain id='1'><devices><interface type='%s'>"
                           "<mac address='52:54:00:00:00:01'/>%s</interface></devices></domain>",
                           kinds[i].type, kinds[i].source);
        struct adapter_list *list = parse(xml, &id);
        if (CHECK(list->count == 1)) {
            CHECK(is_text(list->adapters[0].type, kinds[i].type));
            CHECK(is_text(list->adapters[0].source, kinds[i].expected));
            CHECK(list->adapters[0].device == NULL);
            CHECK(list->adapters[0].alias == NULL);
        }
        adapter_list_release(list);
        free(xml);
    }
}

static void a_domain_without_interfaces_has_no_adapters(void)
{
    static const char *const texts[] = {
        "<domain><devices/></domain>",
        "<domain id='3'><devices></devices></domain>",
        "<domain><devices><disk type='file'><interface type='fake'/></disk></devices></domain>",
        "<domain><devices><!-- <interface/> --><![CDATA[<interface/>]]></devices></domain>",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t id;
        struct adapter_list *list = parse(texts[i], &id);
        CHECK(list->count == 0);
        adapter_list_release(list);
    }
}

static void only_a_whole_number_is_a_domain_id(void)
{
    static const struct {
        const char *attribute;
        int64_t id;
    } ids[] = {
        {"", NOT_RUNNING},
        {"id='0'", 0},
        {"id='1'", 1},
        {"id='4294967297'", 4294967297},
        {"id='9223372036854775807'", INT64_MAX},
        {"id='9223372036854775808'", NOT_RUNNING},
        {"id='99999999999999999999999999'", NOT_RUNNING},
        {"id='-1'", NOT_RUNNING},
        {"id=''", NOT_RUNNING},
        {"id='seven'", NOT_RUNNING},
        {"id='7x'", NOT_RUNNING},
        {"x:id='7' xmlns:x='http://example.org/'", NOT_RUNNING},
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        int64_t id = 42;
        char *xml = format("<domain %s><devices/></domain>", ids[i].attribute);
        struct adapter_list *list = parse(xml, &id);
        CHECK(id == ids[i].id);
        adapter_list_release(list);
        free(xml);
    }
}

static void a_definition_without_devices_is_refused(void)
{
    CHECK(is_refused("<domain/>", "<devices>"));
    CHECK(is_refused("<domain id='1'><name>web01</name></domain>", "<devices>"));
    CHECK(is_refused("<domain><metadata><devices/></metadata></domain>", "<devices>"));
}

static void another_root_element_is_refused(void)
{
    CHECK(is_refused("<network><devices/></network>", "<domain>"));
    CHECK(is_refused("<domains><domain><devices/></domain></domains>", "<domain>"));
    CHECK(is_refused("<Domain><devices/></Domain>", "<domain>"));
}

static void elements_of_another_namespace_are_not_the_domains_own(void)
{
    int64_t id;
    CHECK(is_refused("<x:domain xmlns:x='http://example.org/'><devices/></x:domain>", "<domain>"));
    CHECK(is_refused("<domain xmlns:x='http://example.org/'><x:devices/></domain>", "<devices>"));
    struct adapter_list *list =
        parse("<domain xmlns:x='http://example.org/'><x:devices><interface type='x'/></x:devices>"
              "<devices><x:interface type='y'/><interface type='bridge' x:type='z'>"
              "<x:target dev='wrong'/><target dev='vnet0'/></interface></devices></domain>",
              &id);
    if (CHECK(list->count == 1)) {
        CHECK(is_text(list->adapters[0].type, "bridge"));
        CHECK(is_text(list->adapters[0].device, "vnet0"));
    }
    adapter_list_release(list);
}

static void what_is_not_xml_is_refused(void)
{
    static const char *const texts[] = {
        "",
        " ",
        "\n",
        "no XML",
        "<",
        "<domain",
        "<domain>",
        "<domain><devices></domain></devices>",
        "<domain><devices/></domain><domain><devices/></domain>",
        "<domain id='1' id='2'><devices/></domain>",
        "<domain id=1><devices/></domain>",
        "<domain><devices/>&nosuchentity;</domain>",
        "<domain><devices/>&#0;</domain>",
        "<domain><devices/>\x01</domain>",
        "{\"domain\": {\"devices\": []}}",
        "%s%s%s%n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CHECK(is_refused(texts[i], "well-formed"));
}

static void bytes_that_are_not_utf_8_are_refused(void)
{
    CHECK(is_refused("<domain><name>\xff\xfe</name><devices/></domain>", "well-formed"));
    CHECK(is_refused("<domain><name>\xc3(</name><devices/></domain>", "well-formed"));
    CHECK(
        is_refused("<domain><devices><interface type='\xe4'/></devices></domain>", "well-formed"));
}

static void utf_8_is_kept_as_it_is(void)
{
    int64_t id;
    struct adapter_list *list = parse("<domain><devices><interface type='network'>"
                                      "<source network='B&#xFC;ro &lt;\xe2\x82\xac&gt;'/>"
                                      "</interface></devices></domain>",
                                      &id);
    if (CHECK(list->count == 1))
        CHECK(is_text(list->adapters[0].source, "B\xc3\xbcro <\xe2\x82\xac>"));
    adapter_list_release(list);
}

static void a_mac_that_is_missing_or_malformed_is_all_zeros(void)
{
    static const char *const macs[] = {
        "",
        "<mac/>",
        "<mac address=''/>",
        "<mac address='52:54:00:12:34'/>",
        "<mac address='52:54:00:12:34:56:78'/>",
        "<mac address='52:54:00:12:34:5g'/>",
        "<mac address='525400123456'/>",
        "<mac address='52:54:00:12:34:5'/>",
        "<mac address=' 52:54:00:12:34:56'/>",
        "<mac address='52.54.00.12.34.56'/>",
    };
    static const uint8_t zeros[MAC_SIZE];
    for (size_t i = 0; i < sizeof macs / sizeof macs[0]; i++) {
        int64_t id;
        char *xml = format("<domain><devices><interface type='bridge'>%s</interface></devices>"
                           "</domain>",
                           macs[i]);
        struct adapter_list *list = parse(xml, &id);
        if (CHECK(list->count == 1))
            CHECK(memcmp(list->adapters[0].mac, zeros, MAC_SIZE) == 0);
        adapter_list_release(list);
        free(xml);
    }
}

static void adapters_with_one_mac_stay_apart(void)
{
    int64_t id;
    struct adapter_list *list =
        parse("<domain><devices>"
              "<interface><mac address='52:54:00:00:00:01'/><target dev='vnet0'/></interface>"
              "<interface><mac address='52:54:00:00:00:01'/><target dev='vnet1'/></interface>"
              "</devices></domain>",
              &id);
    if (CHECK(list->count == 2)) {
        CHECK(memcmp(list->adapters[0].mac, list->adapters[1].mac, MAC_SIZE) == 0);
        CHECK(is_text(list->adapters[0].device, "vnet0"));
        CHECK(is_text(list->adapters[1].device, "vnet1"));
        CHECK(list->adapters[0].type == NULL);
    }
    adapter_list_release(list);
}

static void the_first_of_elements_that_are_there_twice_counts(void)
{
    int64_t id;
    struct adapter_list *list =
        parse("<domain><devices><interface type='bridge'>"
              "<mac address='52:54:00:00:00:01'/><mac address='52:54:00:00:00:02'/>"
              "<target dev='vnet0'/><target dev='vnet1'/></interface></devices></domain>",
              &id);
    if (CHECK(list->count == 1)) {
        CHECK(list->adapters[0].mac[5] == 1);
        CHECK(is_text(list->adapters[0].device, "vnet0"));
    }
    adapter_list_release(list);
}

static void a_thousand_adapters_are_read(void)
{
    enum { MANY = 1000 };
    int64_t id;
    char *many = repeat("<interface type='bridge'><target dev='vnet0'/></interface>", MANY);
    char *xml = format("<domain><devices>%s</devices></domain>", many);
    struct adapter_list *list = parse(xml, &id);
    CHECK(list->count == MANY);
    adapter_list_release(list);
    free(xml);
    free(many);
}

/* A declaration of entities, each ten times the one before. */
#define ENTITY_BOMB                                                                                \
    "<!DOCTYPE domain [<!ENTITY a 'aaaaaaaaaa'>"                                                   \
    "<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>"     \
    "<!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'><!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;'>"     \
    "<!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;'><!ENTITY g '&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;'>"     \
    "<!ENTITY h '&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;'><!ENTITY i '&h;&h;&h;&h;&h;&h;&h;&h;&h;&h;'>]>"

#define ENTITY_LOOP "<!DOCTYPE domain [<!ENTITY a '&b;'><!ENTITY b '&a;'>]>"

static void an_entity_bomb_costs_neither_time_nor_memory(void)
{
    static const char *const bombs[] = {
        ENTITY_BOMB "<domain><name>&i;</name><devices/></domain>",
        ENTITY_BOMB "<domain><devices><interface type='&i;'/></devices></domain>",
        ENTITY_BOMB "<domain id='&i;'><devices/></domain>",
        ENTITY_BOMB "<domain><devices><interface type='bridge'><mac address='&h;'/>"
                    "<target dev='&h;'/><source bridge='&h;'/></interface></devices></domain>",
        ENTITY_LOOP "<domain id='&a;'><devices/></domain>",
    };
    for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
        struct adapter_list *list = NULL;
        struct fault fault;
        int64_t id;
        clock_t begun = clock();
        if (try_parse(bombs[i], &list, &id, &fault)) {
            size_t longest = 0;
            for (size_t k = 0; k < list->count; k++)
                if (list->adapters[k].type != NULL && strlen(list->adapters[k].type) > longest)
                    longest = strlen(list->adapters[k].type);
            CHECK(longest < 1 << 20);
            adapter_list_release(list);
        }
        CHECK(clock() - begun < 2 * CLOCKS_PER_SEC);
    }
}

static void external_entities_are_not_loaded(void)
{
    char path[] = "/tmp/vmaccountant-entity-XXXXXX";
    int descriptor = mkstemp(path);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (!CHECK(file != NULL))
        return;
    fputs("<interface type='leaked'/>", file);
    fclose(file);

    char *texts[] = {
        format("<!DOCTYPE domain [<!ENTITY x SYSTEM 'file://%s'>]>"
               "<domain><devices>&x;</devices></domain>",
               path),
        format("<!DOCTYPE domain [<!ENTITY %% x SYSTEM 'file://%s'> %%x;]>"
               "<domain><devices/></domain>",
               path),
        format("<!DOCTYPE domain SYSTEM 'file://%s'><domain><devices/></domain>", path),
        format("<domain xmlns:xi='http://www.w3.org/2001/XInclude'><devices>"
               "<xi:include href='file://%s'/></devices></domain>",
               path),
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct adapter_list *list = NULL;
        struct fault fault;
        int64_t id;
        if (try_parse(texts[i], &list, &id, &fault)) {
            CHECK(list->count == 0);
            adapter_list_release(list);
        } else {
            CHECK(fault.code == HRESULT_DISP_E_EXCEPTION);
        }
        free(texts[i]);
    }
    remove(path);
}

static void a_huge_attribute_is_refused(void)
{
    enum { TWELVE_MEGABYTES = 12 << 20 };
    char *huge = repeat("a", TWELVE_MEGABYTES);
    char *xml = format("<domain><devices><interface type='%s'/></devices></domain>", huge);
    CHECK(is_refused(xml, "well-formed"));
    free(xml);
    free(huge);
}

static void nesting_without_end_is_refused(void)
{
    enum { DEPTH = 200000 };
    char *open = repeat("<a>", DEPTH), *close = repeat("</a>", DEPTH);
    char *xml = format("<domain><devices>%s%s</devices></domain>", open, close);
    CHECK(is_refused(xml, "well-formed"));
    free(xml);
    free(close);
    free(open);
}

static void a_long_message_of_the_parser_fits_the_fault(void)
{
    char *name = repeat("x", 5000);
    char *xml = format("<domain><%s></domain>", name);
    CHECK(is_refused(xml, "well-formed"));
    free(xml);
    free(name);
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13; /* xorshift32 */
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* One to four bytes changed, taken out, doubled, or cut off with all that
 * follows. */
static size_t mutate(char *text, size_t length, uint32_t *random)
{
    static const char alphabet[] = "<>/='\"&;!?- abcd\x80\xff\x01[]%:0";
    for (uint32_t times = next_random(random) % 4 + 1; times > 0 && length > 1; times--) {
        size_t at = next_random(random) % length;
        switch (next_random(random) % 8) {
        case 0:
            text[at] = '\0';
            return at;
        case 1:
        case 2:
            memmove(text + at, text + at + 1, length - at);
            length--;
            break;
        case 3:
            memmove(text + at + 1, text + at, length - at + 1);
            length++;
            break;
        default:
            text[at] = alphabet[next_random(random) % (sizeof alphabet - 1)];
        }
    }
    return length;
}

static void no_mutation_of_a_good_definition_does_harm(void)
{
    enum { MUTATIONS = 20000, ROOM = 8 };
    char *text = malloc(sizeof GOOD + ROOM);
    uint32_t random = 20050913;
    unsigned accepted = 0, refused = 0, senseless = 0;

    if (text == NULL)
        abort();
    for (int i = 0; i < MUTATIONS; i++) {
        struct adapter_list *list = NULL;
        struct fault fault = {0};
        int64_t id = -2;

        memcpy(text, GOOD, sizeof GOOD);
        mutate(text, sizeof GOOD - 1, &random);
        if (try_parse(text, &list, &id, &fault)) {
            accepted++;
            senseless += list == NULL || list->count > 2 || id < NOT_RUNNING;
            adapter_list_release(list);
        } else {
            refused++;
            senseless +=
                list != NULL || fault.code != HRESULT_DISP_E_EXCEPTION || fault.message[0] == '\0';
        }
    }
    CHECK(accepted > 0 && refused > 0);
    CHECK(senseless == 0);
    free(text);
}

int main(void)
{
    a_live_definition_is_read_in_its_order();
    the_baseline_is_read_from_the_metadata();
    every_kind_of_source_is_known_by_its_name();
    a_domain_without_interfaces_has_no_adapters();
    only_a_whole_number_is_a_domain_id();
    a_definition_without_devices_is_refused();
    another_root_element_is_refused();
    elements_of_another_namespace_are_not_the_domains_own();
    what_is_not_xml_is_refused();
    bytes_that_are_not_utf_8_are_refused();
    utf_8_is_kept_as_it_is();
    a_mac_that_is_missing_or_malformed_is_all_zeros();
    adapters_with_one_mac_stay_apart();
    the_first_of_elements_that_are_there_twice_counts();
    a_thousand_adapters_are_read();
    an_entity_bomb_costs_neither_time_nor_memory();
    external_entities_are_not_loaded();
    a_huge_attribute_is_refused();
    nesting_without_end_is_refused();
    a_long_message_of_the_parser_fits_the_fault();
    no_mutation_of_a_good_definition_does_harm();
    xmlCleanupParser();
    return check_report();
}
