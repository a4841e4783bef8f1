"""The benchmark's reader through libvirt-python.

    python3 bench/libvirt_python.py METRIC CALLS BATCH PAUSE_MS [MACHINE]

sweep        all machines, by one getAllDomainStats
sweep_each   all machines, held with their devices' names, by interfaceStats
read         one machine, by one interfaceStats for each adapter

Prints as bench/reader.h says.
"""

import collections
import sys
import time
import xml.etree.ElementTree

import libvirt


def devices_of(domain):
    devices = xml.etree.ElementTree.fromstring(domain.XMLDesc()).iterfind("devices/interface/target")
    return [device.get("dev") for device in devices]


def bulk(connection, figures):
    for domain, stats in connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_INTERFACE):
        figures[domain.name()] += sum(stats["net.%d.tx.bytes" % i] for i in range(stats["net.count"]))


def each(machines, figures):
    for name, domain, devices in machines:
        figures[name] += sum(domain.interfaceStats(device)[4] for device in devices)


def main(metric, calls, batch, pause, name=None):
    connection = libvirt.openReadOnly(None)
    # What a sweep does not need it is not to pay for.
    domains = [] if metric == "sweep" else [connection.lookupByName(name)] if name else connection.listAllDomains()
    machines = [(domain.name(), domain, devices_of(domain)) for domain in domains]
    first = None
    for call in range(calls + 1):  # the first one warms up
        figures = collections.Counter()
        time.sleep(pause)
        start = time.perf_counter_ns()
        for _ in range(batch):
            if metric == "sweep":
                bulk(connection, figures)
            else:
                each(machines, figures)
        end = time.perf_counter_ns()
        if call > 0:
            print("time", (end - start) / batch)
            assert figures == first, "two calls gave different figures"
        first = figures
    for machine, sent in first.items():
        print("figure", sent // batch, machine)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]) / 1000, *sys.argv[5:])
