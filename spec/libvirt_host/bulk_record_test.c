/* Links with all of src/ but the binding, and its libraries. */
#include "libvirt_host/bulk_record.h"

#include "../support/check.h"

#include "host/disk.h"

#include <string.h>

/* Three adapters, of which the first has no device, and a disk. */
static virDomainStatsRecord new_record(void)
{
    virDomainStatsRecord record = {0};
    int most = 0;
    virTypedParameterPtr *list = &record.params;
    int *count = &record.nparams;

    virTypedParamsAddInt(list, count, &most, "state.state", VIR_DOMAIN_RUNNING);
    virTypedParamsAddUInt(list, count, &most, "net.count", 3);
    virTypedParamsAddString(list, count, &most, "net.1.name", "vnet1");
    virTypedParamsAddULLong(list, count, &most, "net.1.rx.bytes", 18446744073709551615u);
    virTypedParamsAddULLong(list, count, &most, "net.1.rx.pkts", 7);
    virTypedParamsAddULLong(list, count, &most, "net.1.tx.bytes", 20);
    virTypedParamsAddString(list, count, &most, "net.2.name", "vnet10");
    virTypedParamsAddULLong(list, count, &most, "net.2.tx.bytes", 30);
    virTypedParamsAddUInt(list, count, &most, "block.count", 1);
    virTypedParamsAddString(list, count, &most, "block.0.name", "vda");
    virTypedParamsAddULLong(list, count, &most, "block.0.rd.bytes", 40);
    virTypedParamsAddULLong(list, count, &most, "block.0.wr.bytes", 50);
    return record;
}

static void clear(virDomainStatsRecord *record)
{
    virTypedParamsFree(record->params, record->nparams);
}

static void interfaces_are_found_by_name_and_not_by_position(void)
{
    virDomainStatsRecord record = new_record();
    struct bulk_record parsed;

    CHECK(bulk_record_parse(&record, BULK_NET, &parsed));
    CHECK(parsed.state == VIR_DOMAIN_RUNNING);
    CHECK(parsed.has_count && parsed.count == 3);
    CHECK(parsed.devices[0].name == NULL && parsed.devices[0].present == 0);
    const struct bulk_device *device = bulk_record_find(&parsed, "vnet1");
    if (CHECK(device == &parsed.devices[1])) {
        CHECK(device->present == (1u << DIRECTION_SENT | 1u << DIRECTION_RECEIVED));
        CHECK(device->bytes[DIRECTION_SENT] == 20);
        CHECK(device->bytes[DIRECTION_RECEIVED] == 18446744073709551615u);
    }
    CHECK(bulk_record_find(&parsed, "vnet") == NULL);
    CHECK(bulk_record_find(&parsed, "vda") == NULL);
    CHECK(bulk_record_find(&parsed, NULL) == NULL);
    bulk_record_clear(&parsed);
    clear(&record);
}

static void a_direction_that_is_missing_stays_absent(void)
{
    virDomainStatsRecord record = new_record();
    struct bulk_record parsed;

    CHECK(bulk_record_parse(&record, BULK_NET, &parsed));
    CHECK(parsed.devices[2].present == 1u << DIRECTION_SENT);
    CHECK(parsed.devices[2].bytes[DIRECTION_SENT] == 30);
    bulk_record_clear(&parsed);
    clear(&record);
}

static void disks_are_read_the_same_way(void)
{
    virDomainStatsRecord record = new_record();
    struct bulk_record parsed;

    CHECK(bulk_record_parse(&record, BULK_BLOCK, &parsed));
    CHECK(parsed.has_count && parsed.count == 1);
    const struct bulk_device *device = bulk_record_find(&parsed, "vda");
    if (CHECK(device != NULL)) {
        CHECK(device->bytes[DISK_READ] == 40);
        CHECK(device->bytes[DISK_WRITTEN] == 50);
    }
    bulk_record_clear(&parsed);
    clear(&record);
}

static void a_record_without_the_group_has_no_count(void)
{
    virDomainStatsRecord record = {0};
    struct bulk_record parsed;

    CHECK(bulk_record_parse(&record, BULK_BLOCK, &parsed));
    CHECK(parsed.state == VIR_DOMAIN_NOSTATE);
    CHECK(!parsed.has_count && parsed.count == 0);
    bulk_record_clear(&parsed);
}

static void what_is_malformed_is_passed_over(void)
{
    virDomainStatsRecord record = {0};
    int most = 0;
    struct bulk_record parsed;

    virTypedParamsAddUInt(&record.params, &record.nparams, &most, "net.count", 1);
    virTypedParamsAddULLong(&record.params, &record.nparams, &most, "net.1.rx.bytes", 1);
    virTypedParamsAddULLong(&record.params, &record.nparams, &most, "net.0rx.bytes", 1);
    virTypedParamsAddULLong(&record.params, &record.nparams, &most, "net.-0.rx.bytes", 1);
    virTypedParamsAddULLong(&record.params, &record.nparams, &most, "net.", 1);
    virTypedParamsAddULLong(&record.params, &record.nparams, &most, "network.0.rx.bytes", 1);
    virTypedParamsAddULLong(&record.params, &record.nparams, &most, "net.0.name", 1);
    virTypedParamsAddString(&record.params, &record.nparams, &most, "net.0.tx.bytes", "1");
    CHECK(bulk_record_parse(&record, BULK_NET, &parsed));
    CHECK(parsed.count == 1);
    CHECK(parsed.devices[0].name == NULL && parsed.devices[0].present == 0);
    bulk_record_clear(&parsed);
    clear(&record);
}

int main(void)
{
    virInitialize();
    interfaces_are_found_by_name_and_not_by_position();
    a_direction_that_is_missing_stays_absent();
    disks_are_read_the_same_way();
    a_record_without_the_group_has_no_count();
    what_is_malformed_is_passed_over();
    return check_report();
}
