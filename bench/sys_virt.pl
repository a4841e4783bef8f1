# The benchmark's reader through Perl's Sys::Virt.
#
#     perl bench/sys_virt.pl METRIC CALLS BATCH PAUSE_MS [MACHINE]
#
# sweep        all machines, by one get_all_domain_stats
# sweep_each   all machines, held with their devices' names, by interface_stats
# read         one machine, by one interface_stats for each adapter
#
# Prints as bench/reader.h says.

use strict;
use warnings;
use Sys::Virt;
use Time::HiRes qw(clock_gettime sleep CLOCK_MONOTONIC);

my ($metric, $calls, $batch, $pause_ms, $name) = @ARGV;
my $connection = Sys::Virt->new(readonly => 1);
# What a sweep does not need it is not to pay for.
my @domains =
    $metric eq "sweep" ? () : $name ? $connection->get_domain_by_name($name) : $connection->list_all_domains();
my @machines;
for my $domain (@domains) {
    my ($interfaces) = $domain->get_xml_description() =~ /<devices>(.*)<\/devices>/s;
    my @devices = map { /<target dev='([^']+)'/ } $interfaces =~ /<interface .*?<\/interface>/gs;
    push @machines, [$domain->get_name(), $domain, @devices];
}

sub bulk {
    my ($figures) = @_;
    for my $record ($connection->get_all_domain_stats(Sys::Virt::Domain::STATS_INTERFACE)) {
        my ($stats, $sum) = ($record->{data}, 0);
        $sum += $stats->{"net.$_.tx.bytes"} for 0 .. $stats->{"net.count"} - 1;
        $figures->{$record->{dom}->get_name()} += $sum;
    }
}

sub each_adapter {
    my ($figures) = @_;
    for my $machine (@machines) {
        my ($of, $domain, @devices) = @$machine;
        $figures->{$of} += $domain->interface_stats($_)->{tx_bytes} for @devices;
    }
}

my %first;
for my $call (0 .. $calls) {    # the first one warms up
    my %figures;
    sleep($pause_ms / 1000) if $pause_ms > 0;
    my $start = clock_gettime(CLOCK_MONOTONIC);
    for (1 .. $batch) {
        $metric eq "sweep" ? bulk(\%figures) : each_adapter(\%figures);
    }
    my $end = clock_gettime(CLOCK_MONOTONIC);
    if ($call > 0) {
        printf "time %.1f\n", ($end - $start) * 1e9 / $batch;
        $figures{$_} == $first{$_} or die "two calls gave different figures\n" for keys %first;
    }
    %first = %figures;
}
printf "figure %d %s\n", $first{$_} / $batch, $_ for keys %first;
