/*
 * bulk_statistics: the yardstick of the benchmark, libvirt's C API called as
 * well as it can be. A reader (see reader.h) of these metrics:
 *
 *     sweep           all machines' bytes sent, by one virConnectGetAllDomainStats
 *     sweep_groups    the same by one that asks for disks and processors as well
 *     read MACHINE    one machine's, by one virDomainInterfaceStats for each adapter
 *     read_bulk MACHINE   one machine's, by one virDomainListGetStats
 *
 * And two that read no figures:
 *
 *     bulk_statistics hold
 *         lists all machines and holds them; prints the bytes that this takes
 *         of its heap, beyond what the connection itself takes
 *     bulk_statistics connect
 *         connects and closes
 */
#include "reader.h"

#include <libvirt/libvirt.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ADAPTERS = 64, DEVICE_SIZE = 64 };

struct machine {
    virDomainPtr domain;
    size_t count;
    char devices[MOST_ADAPTERS][DEVICE_SIZE];
};

static bool ends_with(const char *field, const char *end)
{
    size_t length = strlen(field), wanted = strlen(end);
    return strncmp(field, "net.", 4) == 0 && length > wanted &&
           strcmp(field + length - wanted, end) == 0;
}

static void add_records(virDomainStatsRecordPtr *records, int count, struct figures *figures)
{
    if (count < 0)
        fail("no bulk statistics");
    for (int i = 0; i < count; i++) {
        unsigned long long sum = 0;
        for (int k = 0; k < records[i]->nparams; k++)
            if (ends_with(records[i]->params[k].field, ".tx.bytes"))
                sum += records[i]->params[k].value.ul;
        figures_add(figures, virDomainGetName(records[i]->dom), sum);
    }
    virDomainStatsRecordListFree(records);
}

static void ask_all(virConnectPtr connection, unsigned groups, struct figures *figures)
{
    virDomainStatsRecordPtr *records = NULL;
    int count = virConnectGetAllDomainStats(connection, groups, &records, 0);
    add_records(records, count, figures);
}

static void sweep(void *context, struct figures *figures)
{
    ask_all(context, VIR_DOMAIN_STATS_INTERFACE, figures);
}

static void sweep_groups(void *context, struct figures *figures)
{
    ask_all(context,
            VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK | VIR_DOMAIN_STATS_CPU_TOTAL,
            figures);
}

static void read_bulk(void *context, struct figures *figures)
{
    const struct machine *machine = context;
    virDomainPtr domains[] = {machine->domain, NULL};
    virDomainStatsRecordPtr *records = NULL;
    int count = virDomainListGetStats(domains, VIR_DOMAIN_STATS_INTERFACE, &records, 0);
    add_records(records, count, figures);
}

static void read_each(void *context, struct figures *figures)
{
    const struct machine *machine = context;
    unsigned long long sum = 0;
    for (size_t i = 0; i < machine->count; i++) {
        virDomainInterfaceStatsStruct stats;
        if (virDomainInterfaceStats(machine->domain, machine->devices[i], &stats, sizeof stats) < 0)
            fail("no statistics of an adapter");
        sum += (unsigned long long)stats.tx_bytes;
    }
    figures_add(figures, virDomainGetName(machine->domain), sum);
}

/* The names of the machine's devices, which a program holds that reads them
 * again and again. */
static void find_devices(struct machine *machine)
{
    virDomainPtr domains[] = {machine->domain, NULL};
    virDomainStatsRecordPtr *records = NULL;

    if (virDomainListGetStats(domains, VIR_DOMAIN_STATS_INTERFACE, &records, 0) != 1)
        fail("the machine does not run");
    for (int i = 0; i < records[0]->nparams; i++) {
        const virTypedParameter *parameter = &records[0]->params[i];
        if (parameter->type == VIR_TYPED_PARAM_STRING && ends_with(parameter->field, ".name") &&
            machine->count < MOST_ADAPTERS)
            snprintf(machine->devices[machine->count++], DEVICE_SIZE, "%s", parameter->value.s);
    }
    virDomainStatsRecordListFree(records);
}

static size_t heap(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* After a sweep, as the program has had that it is compared with. */
static void hold(virConnectPtr connection)
{
    virDomainStatsRecordPtr *records = NULL;
    virDomainPtr *domains = NULL;

    size_t before = heap();
    int count = virConnectListAllDomains(connection, &domains, 0);
    virConnectGetAllDomainStats(connection, VIR_DOMAIN_STATS_INTERFACE, &records, 0);
    virDomainStatsRecordListFree(records);
    printf("heap %zu\n", heap() - before);
    for (int i = 0; i < count; i++)
        virDomainFree(domains[i]);
    free(domains);
}

int main(int argc, char *argv[])
{
    struct machine machine = {0};
    virConnectPtr connection = virConnectOpenReadOnly(NULL);

    if (connection == NULL)
        fail("cannot connect");
    if (argc == 2 && strcmp(argv[1], "hold") == 0) {
        hold(connection);
        virConnectClose(connection);
        return EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "connect") == 0) {
        virConnectClose(connection);
        return EXIT_SUCCESS;
    }
    struct reader reader = reader_new(argc, argv);
    if (strcmp(reader.metric, "sweep") == 0) {
        reader_run(&reader, sweep, connection);
    } else if (strcmp(reader.metric, "sweep_groups") == 0) {
        reader_run(&reader, sweep_groups, connection);
    } else {
        machine.domain =
            reader.what != NULL ? virDomainLookupByName(connection, reader.what) : NULL;
        if (machine.domain == NULL)
            fail("which machine?");
        find_devices(&machine);
        reader_run(&reader, strcmp(reader.metric, "read_bulk") == 0 ? read_bulk : read_each,
                   &machine);
        virDomainFree(machine.domain);
    }
    virConnectClose(connection);
    return EXIT_SUCCESS;
}
