/*
 * scheduling: a machine's share of the host's processors in Virtual Server's
 * terms, and what is allowed there.
 *
 * Capacities are percents of the whole host: on a host of four processors a
 * machine with one of its own can use 25. Virtual Server's machines all had one
 * processor; one with n can use n times as much.
 */
#ifndef VMACCOUNTANT_HOST_SCHEDULING_H
#define VMACCOUNTANT_HOST_SCHEDULING_H

#include "base/fault.h"

enum { LEAST_WEIGHT = 1, LARGEST_WEIGHT = 10000 };

struct scheduling {
    double maximum;  /* percent of the host that the machine may use at most */
    double reserved; /* percent of the host that it is guaranteed */
    long long weight;
    unsigned processors;      /* of the machine */
    unsigned host_processors; /* of the host */
    bool can_limit;           /* the host has a quota for machines */
};

/* The largest maximum of that machine on that host. */
double scheduling_allowable_maximum(const struct scheduling *scheduling);

/* Whether `wanted`, of which only the three settings count, can be set where
 * `present` holds. A fault of E_INVALIDARG names what is wrong. */
bool scheduling_check(const struct scheduling *present, const struct scheduling *wanted,
                      struct fault *fault);

/* The quota, in microseconds for each of the machine's processors in a period,
 * that gives the machine its maximum; -1 for no limit. *period is chosen. */
long long scheduling_quota(const struct scheduling *scheduling, unsigned long long *period);

/* The same quota as a percent of the host. */
double scheduling_percent(long long quota, unsigned long long period, unsigned processors,
                          unsigned host_processors);

#endif
