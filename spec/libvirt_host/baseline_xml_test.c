/* Links with all of src/ but the binding, and its libraries. */
#include "libvirt_host/baseline_xml.h"

#include "host/disk.h"

#include "../support/check.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#define BOOT "0e5b6f6a-2e3c-4a86-9d3f-1f0a1c5c9b77"
#define RESET                                                                                      \
    "domain='7' boot='" BOOT "' process='812345' ordinal='2' clock='8205127' "                     \
    "reset='1795254509123'"
#define HEAD "<v:baseline xmlns:v='" BASELINE_NAMESPACE "' version='1' " RESET ">"
#define TAIL "</v:baseline>"
#define ADAPTER                                                                                    \
    "<v:adapter mac='52-54-00-12-34-56' device='vnet3' ifindex='12' sent='20882' "                 \
    "received='4096'/>"

/* What is read of a <metadata> with that content. */
static struct baseline *read_metadata(const char *content, const char **complaint)
{
    size_t size = strlen(content) + sizeof "<metadata></metadata>";
    char *text = malloc(size);
    if (text == NULL)
        abort();
    snprintf(text, size, "<metadata>%s</metadata>", content);
    xmlDoc *document = xmlReadMemory(text, (int)strlen(text), "metadata", NULL,
                                     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    free(text);
    *complaint = "not well-formed";
    if (document == NULL)
        return NULL;
    struct baseline *baseline = baseline_xml_read(xmlDocGetRootElement(document), complaint);
    xmlFreeDoc(document);
    return baseline;
}

/* Whether there is a baseline that cannot be used, and a reason. */
static bool is_complained_of(const char *content, const char *reason)
{
    const char *complaint;
    struct baseline *baseline = read_metadata(content, &complaint);
    bool is = baseline == NULL && complaint != NULL && strstr(complaint, reason) != NULL;
    baseline_free(baseline);
    return is;
}

static bool is_absent(const char *content)
{
    const char *complaint;
    struct baseline *baseline = read_metadata(content, &complaint);
    bool is = baseline == NULL && complaint == NULL;
    baseline_free(baseline);
    return is;
}

static bool is_number(struct decimal value, uint64_t expected)
{
    return decimal_compare(value, decimal_from_uint64(expected)) == 0;
}

static void a_baseline_is_read(void)
{
    const char *complaint;
    struct baseline *baseline = read_metadata(HEAD ADAPTER TAIL, &complaint);

    CHECK(complaint == NULL);
    if (!CHECK(baseline != NULL))
        return;
    CHECK(!baseline->has_disks && baseline->disk_count == 0);
    CHECK(baseline->domain_id == 7);
    CHECK(strcmp(baseline->boot_id, BOOT) == 0);
    CHECK(baseline->process_start == 812345);
    CHECK(baseline->ordinal == 2);
    CHECK(baseline->reset_clock == INT64_C(8205127000000));
    CHECK(!baseline->has_common_clock); /* who reads it has to know */
    CHECK(baseline->reset_at == 1795254509123);
    if (CHECK(baseline->count == 1)) {
        const struct baseline_adapter *adapter = &baseline->adapters[0];
        CHECK(adapter->mac[0] == 0x52 && adapter->mac[5] == 0x56);
        CHECK(strcmp(adapter->device, "vnet3") == 0);
        CHECK(adapter->ifindex == 12);
        CHECK(is_number(adapter->bytes[DIRECTION_SENT], 20882));
        CHECK(is_number(adapter->bytes[DIRECTION_RECEIVED], 4096));
    }
    baseline_free(baseline);
}

static void what_is_written_is_read_back(void)
{
    struct baseline *written = baseline_new(2);
    if (written == NULL)
        abort();
    written->domain_id = INT64_MAX;
    strcpy(written->boot_id, BOOT);
    written->process_start = INT64_MAX;
    written->ordinal = 3;
    written->reset_clock = INT64_C(86400000000123);
    written->reset_at = 0;
    memcpy(written->adapters[0].mac, "\x52\x54\x00\xab\xcd\xef", MAC_SIZE);
    written->adapters[0].device = strdup("a<b>&\"c'\xc3\xbc");
    written->adapters[0].ifindex = 4294967295;
    written->adapters[0].bytes[DIRECTION_SENT] = (struct decimal){UINT64_MAX, UINT32_MAX};
    written->adapters[1].bytes[DIRECTION_RECEIVED] = decimal_from_uint64(UINT64_MAX);

    if (!baseline_start_disks(written, 2))
        abort();
    written->disks[0].target = strdup("vda");
    written->disks[0].bytes[DISK_READ] = (struct decimal){UINT64_MAX, UINT32_MAX};
    written->disks[1].target = strdup("a<b>");
    written->disks[1].bytes[DISK_WRITTEN] = decimal_from_uint64(512);

    char *element = baseline_xml_write(written);
    if (!CHECK(element != NULL))
        return;
    /* libvirt puts the namespace on it, as the default one of the element. */
    char *text = malloc(strlen(element) + 64);
    if (text == NULL)
        abort();
    sprintf(text, "<baseline xmlns='%s' %s", BASELINE_NAMESPACE, element + strlen("<baseline "));
    const char *complaint;
    struct baseline *read = read_metadata(text, &complaint);
    if (CHECK(read != NULL)) {
        CHECK(read->domain_id == INT64_MAX);
        CHECK(strcmp(read->boot_id, BOOT) == 0);
        CHECK(read->process_start == INT64_MAX);
        CHECK(read->ordinal == 3);
        CHECK(read->reset_clock == INT64_C(86400000000000)); /* in milliseconds */
        CHECK(read->reset_at == 0);
        CHECK(read->count == 2);
        for (size_t i = 0; i < 2; i++) {
            const struct baseline_adapter *a = &written->adapters[i], *b = &read->adapters[i];
            CHECK(memcmp(a->mac, b->mac, MAC_SIZE) == 0);
            CHECK(a->device == NULL ? b->device == NULL : strcmp(a->device, b->device) == 0);
            CHECK(a->ifindex == b->ifindex);
            for (int direction = 0; direction < DIRECTION_COUNT; direction++)
                CHECK(decimal_compare(a->bytes[direction], b->bytes[direction]) == 0);
        }
    }
    if (read != NULL && CHECK(read->has_disks && read->disk_count == 2)) {
        for (size_t i = 0; i < 2; i++) {
            const struct baseline_disk *a = &written->disks[i], *b = &read->disks[i];
            CHECK(strcmp(a->target, b->target) == 0);
            for (int direction = 0; direction < DIRECTION_COUNT; direction++)
                CHECK(decimal_compare(a->bytes[direction], b->bytes[direction]) == 0);
        }
    }
    baseline_free(read);
    baseline_free(written);
    free(text);
    free(element);
}

static void a_machine_may_have_no_adapters(void)
{
    const char *complaint;
    struct baseline *baseline = read_metadata(HEAD TAIL, &complaint);
    CHECK(complaint == NULL);
    if (CHECK(baseline != NULL))
        CHECK(baseline->count == 0);
    baseline_free(baseline);
}

#define HEAD_WITH_DISKS                                                                            \
    "<v:baseline xmlns:v='" BASELINE_NAMESPACE "' version='1' " RESET " disks='known'>"

static void no_disks_are_not_unknown_disks(void)
{
    const char *complaint;
    struct baseline *baseline = read_metadata(HEAD_WITH_DISKS ADAPTER TAIL, &complaint);
    if (CHECK(baseline != NULL))
        CHECK(baseline->has_disks && baseline->disk_count == 0);
    baseline_free(baseline);
    /* Without the word that they are all there, those that are say nothing. */
    baseline = read_metadata(HEAD "<v:disk target='vda' read='1' written='2'/>" TAIL, &complaint);
    if (CHECK(baseline != NULL))
        CHECK(!baseline->has_disks);
    baseline_free(baseline);
}

static void a_disk_without_its_figures_makes_it_malformed(void)
{
    CHECK(is_complained_of(HEAD_WITH_DISKS "<v:disk read='1' written='2'/>" TAIL, "malformed"));
    CHECK(is_complained_of(HEAD_WITH_DISKS "<v:disk target='vda' read='1'/>" TAIL, "malformed"));
    CHECK(is_complained_of(HEAD_WITH_DISKS "<v:disk target='vda' written='1'/>" TAIL, "malformed"));
    CHECK(is_complained_of(HEAD_WITH_DISKS "<v:disk target='vda' read='-1' written='1'/>" TAIL,
                           "malformed"));
}

static void other_metadata_is_nobodys_business(void)
{
    CHECK(is_absent(""));
    CHECK(is_absent("text"));
    CHECK(is_absent("<baseline version='1' domain='7' reset='1'/>"));
    CHECK(is_absent("<x:baseline xmlns:x='urn:another' version='1' domain='7' reset='1'/>"));
    CHECK(is_absent("<v:other xmlns:v='" BASELINE_NAMESPACE "'/>"));
    CHECK(is_absent("<x>" HEAD ADAPTER TAIL "</x>"));
}

static void another_version_is_said_so(void)
{
    static const char *const versions[] = {"", "version='2'", "version='1.0'", "version=' 1'",
                                           "version=''"};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "<v:baseline xmlns:v='" BASELINE_NAMESPACE "' %s domain='7' reset='1'/>",
                 versions[i]);
        CHECK(is_complained_of(text, "version"));
    }
}

/* As it was before runs had names. Nothing in it says which run it is of. */
static void an_older_form_is_said_so(void)
{
    CHECK(is_complained_of("<v:baseline xmlns:v='" BASELINE_NAMESPACE
                           "' version='1' domain='7' reset='1795254509123'>" ADAPTER TAIL,
                           "older form"));
}

static void one_that_was_written_elsewhere_has_no_process(void)
{
    const char *complaint;
    struct baseline *baseline = read_metadata("<v:baseline xmlns:v='" BASELINE_NAMESPACE
                                              "' version='1' domain='7' boot='" BOOT
                                              "' ordinal='0' clock='1' reset='1'>" TAIL,
                                              &complaint);
    if (CHECK(baseline != NULL))
        CHECK(baseline->process_start == 0 && baseline->ordinal == 0);
    baseline_free(baseline);
}

#define REST "boot='b' ordinal='1' clock='1' "

static void a_figure_that_is_missing_or_no_number_makes_it_malformed(void)
{
    static const char *const heads[] = {
        REST "domain='7'",
        REST "reset='1'",
        REST "domain='' reset='1'",
        REST "domain='-1' reset='1'",
        REST "domain='7' reset='-1'",
        REST "domain='7' reset='1.5'",
        REST "domain='7' reset='1e3'",
        REST "domain='9223372036854775808' reset='1'",
        REST "domain='7' reset='99999999999999999999999999999999'",
        REST "domain='seven' reset='1'",
        "domain='7' reset='1' ordinal='1' clock='1'",
        "domain='7' reset='1' boot='b' clock='1'",
        "domain='7' reset='1' boot='b' ordinal='1'",
        "domain='7' reset='1' boot='b' ordinal='-1' clock='1'",
        "domain='7' reset='1' boot='b' ordinal='1' clock='x'",
        "domain='7' reset='1' boot='b' ordinal='1' clock='9223372036855'",
        "domain='7' reset='1' boot='b' ordinal='1' clock='1' process=''",
        "domain='7' reset='1' ordinal='1' clock='1' boot='" BOOT "0'",
    };
    static const char *const adapters[] = {
        "<v:adapter/>",
        "<v:adapter sent='1' received='1'/>",
        "<v:adapter mac='52-54-00-12-34' sent='1' received='1'/>",
        "<v:adapter mac='52-54-00-12-34-56' received='1'/>",
        "<v:adapter mac='52-54-00-12-34-56' sent='1'/>",
        "<v:adapter mac='52-54-00-12-34-56' sent='-1' received='1'/>",
        "<v:adapter mac='52-54-00-12-34-56' sent='1' received='1 '/>",
        "<v:adapter mac='52-54-00-12-34-56' sent='79228162514264337593543950336' received='1'/>",
        "<v:adapter mac='52-54-00-12-34-56' ifindex='x' sent='1' received='1'/>",
        "<v:adapter mac='52-54-00-12-34-56' ifindex='9223372036854775808' sent='1' received='1'/>",
        ADAPTER "<v:adapter mac='x' device='vnet4' sent='1' received='1'/>" ADAPTER,
    };
    char text[1024];

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        snprintf(text, sizeof text, "<v:baseline xmlns:v='" BASELINE_NAMESPACE "' version='1' %s/>",
                 heads[i]);
        if (!CHECK(is_complained_of(text, "malformed")))
            printf("%s\n", heads[i]);
    }
    for (size_t i = 0; i < sizeof adapters / sizeof adapters[0]; i++) {
        snprintf(text, sizeof text, HEAD "%s" TAIL, adapters[i]);
        if (!CHECK(is_complained_of(text, "malformed")))
            printf("%s\n", adapters[i]);
    }
}

static void elements_of_others_within_it_are_passed_over(void)
{
    const char *complaint;
    struct baseline *baseline =
        read_metadata(HEAD "<adapter/>text<!-- comment -->" ADAPTER "<v:later/>" TAIL, &complaint);
    CHECK(complaint == NULL);
    if (CHECK(baseline != NULL))
        CHECK(baseline->count == 1);
    baseline_free(baseline);
}

static void more_adapters_than_any_machine_has_are_refused(void)
{
    enum { MANY = 5000 };
    char *text = malloc(sizeof HEAD TAIL + MANY * sizeof ADAPTER);
    if (text == NULL)
        abort();
    char *end = stpcpy(text, HEAD);
    for (int i = 0; i < MANY; i++)
        end = stpcpy(end, ADAPTER);
    stpcpy(end, TAIL);
    CHECK(is_complained_of(text, "malformed"));
    free(text);
}

/* A count of the text, between the head and the tail. */
static char *repeat(const char *text, size_t count)
{
    char *all = malloc(sizeof HEAD TAIL + count * strlen(text));
    if (all == NULL)
        abort();
    char *end = stpcpy(all, HEAD);
    while (count-- > 0)
        end = stpcpy(end, text);
    stpcpy(end, TAIL);
    return all;
}

static void megabytes_are_refused_or_passed_over(void)
{
    enum { MANY = 100000 };
    const char *complaint;

    char *text = repeat(ADAPTER, MANY);
    CHECK(is_complained_of(text, "malformed"));
    free(text);

    text = repeat("<other a='b'>text</other>", MANY);
    struct baseline *baseline = read_metadata(text, &complaint);
    CHECK(complaint == NULL && baseline != NULL && baseline->count == 0);
    baseline_free(baseline);
    free(text);

    /* A number of four million digits. */
    char *digits = malloc(4 * 1000 * 1000 + 1);
    if (digits == NULL)
        abort();
    memset(digits, '9', 4 * 1000 * 1000);
    digits[4 * 1000 * 1000] = '\0';
    text = malloc(strlen(digits) + sizeof HEAD TAIL + 200);
    if (text == NULL)
        abort();
    sprintf(text, HEAD "<v:adapter mac='52-54-00-12-34-56' sent='%s' received='0'/>" TAIL, digits);
    CHECK(is_complained_of(text, "malformed"));
    free(digits);
    free(text);
}

/* Which is whose is decided where they are used, by device and incarnation. */
static void adapters_that_are_there_twice_are_read_twice(void)
{
    const char *complaint;
    struct baseline *baseline = read_metadata(HEAD ADAPTER ADAPTER TAIL, &complaint);
    CHECK(complaint == NULL && baseline != NULL && baseline->count == 2);
    baseline_free(baseline);
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13; /* xorshift32 */
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void no_mutation_does_harm(void)
{
    enum { MUTATIONS = 20000 };
    static const char good[] = HEAD ADAPTER ADAPTER TAIL;
    static const char alphabet[] = "<>/='\"&:-0179 vx\xff";
    uint32_t random = 20050913;
    unsigned used = 0, refused = 0, senseless = 0;

    for (int i = 0; i < MUTATIONS; i++) {
        char text[sizeof good];
        const char *complaint;
        memcpy(text, good, sizeof good);
        for (uint32_t times = next_random(&random) % 3 + 1; times > 0; times--)
            text[next_random(&random) % (sizeof good - 1)] =
                alphabet[next_random(&random) % (sizeof alphabet - 1)];
        struct baseline *baseline = read_metadata(text, &complaint);
        senseless += baseline != NULL && (complaint != NULL || baseline->count > 2 ||
                                          baseline->domain_id < 0 || baseline->reset_at < 0);
        used += baseline != NULL;
        refused += baseline == NULL;
        baseline_free(baseline);
    }
    CHECK(used > 0 && refused > 0);
    CHECK(senseless == 0);
}

int main(void)
{
    a_baseline_is_read();
    what_is_written_is_read_back();
    a_machine_may_have_no_adapters();
    no_disks_are_not_unknown_disks();
    a_disk_without_its_figures_makes_it_malformed();
    other_metadata_is_nobodys_business();
    another_version_is_said_so();
    an_older_form_is_said_so();
    one_that_was_written_elsewhere_has_no_process();
    a_figure_that_is_missing_or_no_number_makes_it_malformed();
    elements_of_others_within_it_are_passed_over();
    more_adapters_than_any_machine_has_are_refused();
    megabytes_are_refused_or_passed_over();
    adapters_that_are_there_twice_are_read_twice();
    no_mutation_does_harm();
    xmlCleanupParser();
    return check_report();
}
