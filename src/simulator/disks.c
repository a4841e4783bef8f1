/* The machines' disks and what they count. */
#include "simulator/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct simulated_disk *find_disk(const struct simulator *self, simulator_disk_id id,
                                        struct simulated_machine **owner, struct fault *fault)
{
    for (struct simulated_machine *machine = self->machines; machine; machine = machine->next) {
        for (struct simulated_disk *disk = machine->disks; disk; disk = disk->next) {
            if (disk->id == id) {
                *owner = machine;
                return disk;
            }
        }
    }
    fault_set(fault, HRESULT_VM_E_DRIVE_INVALID, "the disk has been removed");
    return NULL;
}

static bool has_target(const struct simulated_machine *machine, const char *target)
{
    for (const struct simulated_disk *disk = machine->disks; disk; disk = disk->next)
        if (strcmp(disk->target, target) == 0)
            return true;
    return false;
}

/* The first free one of vda, vdb, … vdz, vd26, vd27, … */
static void name_target(const struct simulated_machine *machine, char *target, size_t size)
{
    for (unsigned i = 0;; i++) {
        if (i < 26)
            snprintf(target, size, "vd%c", (char)('a' + i));
        else
            snprintf(target, size, "vd%u", i);
        if (!has_target(machine, target))
            return;
    }
}

static void free_disk(struct simulated_disk *disk)
{
    free(disk->target);
    free(disk);
}

bool simulator_add_disk(struct simulator *self, const struct machine_uuid *uuid, const char *target,
                        bool counted, simulator_disk_id *id, struct fault *fault)
{
    char free_target[16];
    struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    if (machine == NULL)
        return false;
    name_target(machine, free_target, sizeof free_target);
    if (target != NULL && has_target(machine, target))
        return fault_set(fault, HRESULT_VM_E_DRIVE_BUS_LOC_IN_USE,
                         "the machine has a disk '%s' already", target);
    struct simulated_disk *disk = calloc(1, sizeof *disk);
    if (disk == NULL || (disk->target = strdup(target != NULL ? target : free_target)) == NULL) {
        free(disk);
        return fault_out_of_memory(fault);
    }
    disk->id = ++self->disk_serial;
    disk->counted = counted;
    struct simulated_disk **link = &machine->disks;
    while (*link != NULL)
        link = &(*link)->next;
    *link = disk;
    *id = disk->id;
    return true;
}

bool simulator_remove_disk(struct simulator *self, simulator_disk_id id, struct fault *fault)
{
    struct simulated_machine *machine;
    struct simulated_disk *disk = find_disk(self, id, &machine, fault);
    if (disk == NULL)
        return false;
    struct simulated_disk **link = &machine->disks;
    while (*link != disk)
        link = &(*link)->next;
    *link = disk->next;
    free_disk(disk);
    return true;
}

bool simulator_transfer_disk(struct simulator *self, simulator_disk_id id, enum direction direction,
                             struct decimal bytes, struct fault *fault)
{
    struct simulated_machine *machine;
    struct simulated_disk *disk = find_disk(self, id, &machine, fault);
    if (disk == NULL || !simulator_require_running(machine, fault))
        return false;
    return simulator_require(decimal_add(disk->bytes[direction], bytes, &disk->bytes[direction]),
                             fault, HRESULT_DISP_E_OVERFLOW,
                             "the disk's count would be above 2^96-1");
}

bool simulator_set_disk_counter(struct simulator *self, simulator_disk_id id,
                                enum direction direction, struct decimal bytes, struct fault *fault)
{
    struct simulated_machine *machine;
    struct simulated_disk *disk = find_disk(self, id, &machine, fault);
    if (disk == NULL || !simulator_require_running(machine, fault))
        return false;
    disk->bytes[direction] = bytes;
    return true;
}

const char *simulator_disk_target(struct simulator *self, simulator_disk_id id, struct fault *fault)
{
    struct simulated_machine *machine;
    const struct simulated_disk *disk = find_disk(self, id, &machine, fault);
    return disk != NULL ? disk->target : NULL;
}

void simulated_disks_start(struct simulated_machine *machine)
{
    for (struct simulated_disk *disk = machine->disks; disk; disk = disk->next)
        memset(disk->bytes, 0, sizeof disk->bytes);
}

void simulated_disks_free(struct simulated_machine *machine)
{
    for (struct simulated_disk *disk = machine->disks, *next; disk; disk = next) {
        next = disk->next;
        free_disk(disk);
    }
    machine->disks = NULL;
}

static bool sample_machine(const struct simulated_machine *machine, disk_receiver *receive,
                           void *context, struct fault *fault)
{
    struct disk_sample sample = {.uuid = machine->uuid, .domain_id = machine->domain_id};
    size_t count = 0;
    bool ok = true;

    for (const struct simulated_disk *disk = machine->disks; disk; disk = disk->next)
        count++;
    if (simulated_machine_is_running(machine))
        ok = disk_sample_start(&sample, count);
    for (const struct simulated_disk *disk = machine->disks; ok && disk && sample.targets;
         disk = disk->next) {
        struct device_reading *reading = disk_sample_add(&sample, disk->target);
        ok = reading != NULL;
        for (int direction = 0; ok && disk->counted && direction < DIRECTION_COUNT; direction++)
            disk_reading_set(reading, (enum direction)direction, disk->bytes[direction]);
    }
    if (ok)
        receive(context, &sample);
    disk_sample_clear(&sample);
    return ok || fault_out_of_memory(fault);
}

bool simulated_sample_disks(struct host *host, const struct machine_uuid *uuid,
                            disk_receiver *receive, void *context, struct fault *fault)
{
    if (uuid != NULL) {
        const struct simulated_machine *machine =
            simulator_machine_for(host, SIMULATOR_CALL_sample_disks, uuid, fault);
        return machine != NULL && sample_machine(machine, receive, context, fault);
    }
    if (simulator_call_fails(host, SIMULATOR_CALL_sample_disks, fault))
        return false;
    for (const struct simulated_machine *machine = simulator_of(host)->machines; machine;
         machine = machine->next) {
        struct fault unread; /* a sample of it alone fails with the reason */
        if (!simulated_machine_fails(machine, SIMULATOR_CALL_sample_disks, &unread) &&
            !sample_machine(machine, receive, context, fault))
            return false;
    }
    return true;
}
