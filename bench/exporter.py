"""The benchmark's reader through prometheus-libvirt-exporter.

    python3 bench/exporter.py sweep CALLS BATCH PAUSE_MS

Starts the exporter on the loopback of the private host, scrapes it as
Prometheus does, and ends it.  Prints as bench/reader.h says.
"""

import collections
import http.client
import re
import subprocess
import sys
import time

ADDRESS = "127.0.0.1:9177"
PATIENCE = 30  # seconds for one answer
SENT = re.compile(r'^libvirt_domain_interface_stats_transmit_bytes_total\{.*?domain="([^"]*)".*\} (\S+)$', re.M)


def scrape():
    connection = http.client.HTTPConnection(ADDRESS, timeout=PATIENCE)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def wait_for_start():
    for _ in range(100):
        try:
            return scrape()
        except OSError:
            time.sleep(0.05)
    raise SystemExit("exporter.py: the exporter does not answer")


def sent_of(text):
    figures = collections.Counter()
    for machine, sent in SENT.findall(text):
        figures[machine] += int(float(sent))
    return figures


def main(calls, batch, pause):
    wait_for_start()  # warms up, too
    first = sent_of(scrape())
    for _ in range(calls):
        time.sleep(pause)
        start = time.perf_counter_ns()
        texts = [scrape() for _ in range(batch)]
        end = time.perf_counter_ns()
        print("time", (end - start) / batch)
        assert all(sent_of(text) == first for text in texts), "two scrapes gave different figures"
    for machine, sent in first.items():
        print("figure", sent, machine)


exporter = subprocess.Popen(["prometheus-libvirt-exporter", "--web.listen-address=" + ADDRESS],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    main(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]) / 1000)
finally:
    exporter.kill()
    exporter.wait()
