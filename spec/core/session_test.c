/* Links with src/core/{session,counter,decimal}.c. */
#include "core/session.h"

#include "../support/check.h"

#include <string.h>

enum { SENT = DIRECTION_SENT, RECEIVED = DIRECTION_RECEIVED };
enum { BOTH = 1u << SENT | 1u << RECEIVED };

static const struct decimal LARGEST = {.low = UINT64_MAX, .high = UINT32_MAX};

static struct device_reading reading(uint8_t mac, uint64_t incarnation, uint64_t sent,
                                     uint64_t received)
{
    return (struct device_reading){
        .key = {.mac = {0x52, 0x54, 0, 0, 0, mac}, .incarnation = incarnation},
        .present = BOTH,
        .bytes = {[SENT] = decimal_from_uint64(sent), [RECEIVED] = decimal_from_uint64(received)},
    };
}

static struct device_reading unknown(uint8_t mac, uint64_t incarnation)
{
    struct device_reading blank = reading(mac, incarnation, 0, 0);
    blank.present = 0;
    return blank;
}

static bool totals(const struct session *session, uint64_t sent, uint64_t received)
{
    struct decimal a, b;
    return session_total(session, DIRECTION_SENT, &a) == SESSION_TOTAL_KNOWN &&
           session_total(session, DIRECTION_RECEIVED, &b) == SESSION_TOTAL_KNOWN &&
           decimal_compare(a, decimal_from_uint64(sent)) == 0 &&
           decimal_compare(b, decimal_from_uint64(received)) == 0;
}

static enum session_total_result result_of(const struct session *session, enum direction direction)
{
    struct decimal total = {42, 42};
    enum session_total_result result = session_total(session, direction, &total);
    if (result != SESSION_TOTAL_KNOWN)
        CHECK(total.low == 42 && total.high == 42);
    return result;
}

static enum verdict verdict_of(const struct session *session, uint8_t mac, uint64_t incarnation)
{
    struct device_reading key = reading(mac, incarnation, 0, 0);
    const struct session_adapter *adapter = session_find_adapter(session, &key.key);
    return adapter == NULL ? VERDICT_NONE : adapter->verdict;
}

static bool is_attached(const struct session *session, uint8_t mac, uint64_t incarnation)
{
    struct device_reading key = reading(mac, incarnation, 0, 0);
    const struct session_adapter *adapter = session_find_adapter(session, &key.key);
    return adapter != NULL && adapter->attached;
}

/* Observes up to two readings given by address. */
static bool observe(struct session *session, const struct device_reading *a,
                    const struct device_reading *b)
{
    struct device_reading readings[2];
    size_t count = 0;
    if (a != NULL)
        readings[count++] = *a;
    if (b != NULL)
        readings[count++] = *b;
    return session_observe(session, readings, count);
}

static bool observe_one(struct session *session, struct device_reading one)
{
    return observe(session, &one, NULL);
}

static bool reset_with(struct session *session, struct device_reading one)
{
    return session_reset(session, &one, 1);
}

static bool finish(struct session *session, struct device_reading final)
{
    return session_finish_adapter(session, &final);
}

static void keys_differ_by_mac_and_by_incarnation(void)
{
    struct device_reading a = reading(1, 7, 0, 0), same = reading(1, 7, 5, 5),
                          other_mac = reading(2, 7, 0, 0), other_life = reading(1, 8, 0, 0);
    CHECK(device_key_equal(&a.key, &same.key));
    CHECK(!device_key_equal(&a.key, &other_mac.key));
    CHECK(!device_key_equal(&a.key, &other_life.key));
}

static void a_session_without_adapters_totals_zero(void)
{
    struct session session = {0};
    CHECK(totals(&session, 0, 0));
    CHECK(session_observe(&session, NULL, 0));
    CHECK(session.observed);
    CHECK(totals(&session, 0, 0));
    session_clear(&session);
}

static void adapters_of_the_first_look_are_first(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 100, 10), b = reading(2, 2, 2000, 200);
    CHECK(observe(&session, &a, &b));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_FIRST);
    CHECK(verdict_of(&session, 2, 2) == VERDICT_FIRST);
    CHECK(totals(&session, 2100, 210));
    session_clear(&session);
}

static void a_growing_figure_is_advanced(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 100, 10));
    CHECK(observe_one(&session, reading(1, 1, 150, 10)));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_ADVANCED);
    CHECK(totals(&session, 150, 10));
    session_clear(&session);
}

static void a_figure_that_stays_is_advanced(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 100, 10));
    observe_one(&session, reading(1, 1, 100, 10));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_ADVANCED);
    CHECK(totals(&session, 100, 10));
    session_clear(&session);
}

static void a_figure_that_falls_keeps_the_old_bytes(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 1000, 10));
    CHECK(observe_one(&session, reading(1, 1, 40, 3)));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_FELL);
    CHECK(totals(&session, 1040, 13));
    session_clear(&session);
}

static void a_fall_in_one_direction_is_the_adapters_verdict(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 1000, 1000));
    observe_one(&session, reading(1, 1, 999, 1001));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_FELL);
    CHECK(totals(&session, 1999, 1001));
    observe_one(&session, reading(1, 1, 1000, 900));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_FELL);
    CHECK(totals(&session, 2000, 1901));
    session_clear(&session);
}

static void an_adapter_that_joins_has_appeared(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 100, 10), b = reading(2, 2, 7, 70);
    observe(&session, &a, NULL);
    CHECK(observe(&session, &a, &b));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_ADVANCED);
    CHECK(verdict_of(&session, 2, 2) == VERDICT_APPEARED);
    CHECK(totals(&session, 107, 80));
    observe(&session, &a, &b);
    CHECK(verdict_of(&session, 2, 2) == VERDICT_ADVANCED);
    session_clear(&session);
}

static void an_adapter_joins_a_session_that_was_seen_without_any(void)
{
    struct session session = {0};
    session_observe(&session, NULL, 0);
    observe_one(&session, reading(1, 1, 5, 6));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_APPEARED);
    CHECK(totals(&session, 5, 6));
    session_clear(&session);
}

static void the_bytes_of_an_adapter_that_vanished_stay(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 100, 10), b = reading(2, 2, 2000, 200);
    observe(&session, &a, &b);
    CHECK(observe(&session, &b, NULL));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_VANISHED);
    CHECK(!is_attached(&session, 1, 1));
    CHECK(is_attached(&session, 2, 2));
    CHECK(totals(&session, 2100, 210));
    CHECK(session_observe(&session, NULL, 0));
    CHECK(verdict_of(&session, 2, 2) == VERDICT_VANISHED);
    CHECK(totals(&session, 2100, 210));
    session_clear(&session);
}

static void an_adapter_made_anew_adds_to_the_one_before(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 1000, 100));
    observe_one(&session, reading(1, 2, 30, 3)); /* the same MAC, another device */
    CHECK(verdict_of(&session, 1, 1) == VERDICT_VANISHED);
    CHECK(verdict_of(&session, 1, 2) == VERDICT_APPEARED);
    CHECK(totals(&session, 1030, 103));
    session_clear(&session);
}

static void an_adapter_that_comes_back_goes_on_where_it_was(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 1000, 100));
    session_observe(&session, NULL, 0);
    observe_one(&session, reading(1, 1, 1200, 100));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_ADVANCED);
    CHECK(is_attached(&session, 1, 1));
    CHECK(totals(&session, 1200, 100));
    session_clear(&session);
}

static void two_adapters_may_share_a_mac(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 100, 10), b = reading(1, 2, 2000, 200);
    observe(&session, &a, &b);
    CHECK(session.count == 2);
    CHECK(totals(&session, 2100, 210));
    b.bytes[SENT] = decimal_from_uint64(2001);
    observe(&session, &b, &a); /* in the other order */
    CHECK(session.count == 2);
    CHECK(totals(&session, 2101, 210));
    session_clear(&session);
}

static void a_figure_that_is_absent_makes_that_total_unknown(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 100, 10), b = reading(2, 2, 2000, 200);
    b.present = 1u << RECEIVED;
    observe(&session, &a, &b);
    CHECK(result_of(&session, DIRECTION_SENT) == SESSION_TOTAL_UNKNOWN);
    CHECK(result_of(&session, DIRECTION_RECEIVED) == SESSION_TOTAL_KNOWN);
    session_clear(&session);
}

static void an_absent_figure_is_not_a_fall_to_zero(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 100, 10));
    CHECK(observe_one(&session, unknown(1, 1)));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_NONE);
    CHECK(result_of(&session, DIRECTION_SENT) == SESSION_TOTAL_UNKNOWN);
    observe_one(&session, reading(1, 1, 130, 10));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_ADVANCED);
    CHECK(totals(&session, 130, 10));
    session_clear(&session);
}

static void an_adapter_that_went_without_ever_giving_a_figure_leaves_the_total_unknown(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 100, 10), b = unknown(2, 2);
    observe(&session, &a, &b);
    observe(&session, &a, NULL);
    CHECK(result_of(&session, DIRECTION_SENT) == SESSION_TOTAL_UNKNOWN);
    CHECK(session_reset(&session, &a, 1)); /* and is forgotten with its session */
    CHECK(totals(&session, 0, 0));
    session_clear(&session);
}

static void a_reset_starts_every_count_at_zero(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 100, 10), b = reading(2, 2, 2000, 200);
    observe(&session, &a, &b);
    struct device_reading now[] = {reading(1, 1, 150, 15), reading(2, 2, 2000, 260)};
    CHECK(session_reset(&session, now, 2));
    CHECK(session.resets == 1);
    CHECK(totals(&session, 0, 0));
    struct device_reading later[] = {reading(1, 1, 151, 15), reading(2, 2, 2010, 290)};
    session_observe(&session, later, 2);
    CHECK(totals(&session, 11, 30));
    session_clear(&session);
}

static void a_reset_may_be_the_first_thing_seen(void)
{
    struct session session = {0};
    CHECK(reset_with(&session, reading(1, 1, 5000, 500)));
    CHECK(totals(&session, 0, 0));
    observe_one(&session, reading(1, 1, 5001, 502));
    CHECK(totals(&session, 1, 2));
    session_clear(&session);
}

static void a_reset_drops_adapters_that_have_gone(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 100, 10), b = reading(2, 2, 2000, 200);
    observe(&session, &a, &b);
    CHECK(session_reset(&session, &b, 1));
    CHECK(session.count == 1);
    CHECK(verdict_of(&session, 1, 1) == VERDICT_NONE);
    CHECK(is_attached(&session, 2, 2));
    CHECK(totals(&session, 0, 0));
    session_clear(&session);
}

static void a_reset_drops_what_was_kept_of_falls(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 1000, 0));
    observe_one(&session, reading(1, 1, 10, 0));
    CHECK(totals(&session, 1010, 0));
    reset_with(&session, reading(1, 1, 20, 0));
    CHECK(totals(&session, 0, 0));
    observe_one(&session, reading(1, 1, 25, 0));
    CHECK(totals(&session, 5, 0));
    session_clear(&session);
}

static void a_device_made_anew_after_a_reset_counts_from_zero(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 1000, 0));
    reset_with(&session, reading(1, 1, 1000, 0));
    observe_one(&session, reading(1, 1, 1100, 0));
    observe_one(&session, reading(1, 1, 30, 0));
    CHECK(totals(&session, 130, 0));
    session_clear(&session);
}

static void every_reset_is_counted(void)
{
    struct session session = {0};
    for (uint64_t i = 1; i <= 5; i++) {
        reset_with(&session, reading(1, 1, i * 100, 0));
        CHECK(session.resets == i);
        CHECK(totals(&session, 0, 0));
    }
    session_clear(&session);
}

static void a_figure_that_was_absent_at_the_reset_is_unknown_after_it(void)
{
    /* What came before the reset cannot be distinguished from what came after. */
    struct session session = {0};
    observe_one(&session, reading(1, 1, 1000, 100));
    CHECK(reset_with(&session, unknown(1, 1)));
    CHECK(result_of(&session, DIRECTION_SENT) == SESSION_TOTAL_UNKNOWN);
    observe_one(&session, reading(1, 1, 1700, 100));
    CHECK(result_of(&session, DIRECTION_SENT) == SESSION_TOTAL_UNKNOWN);
    session_clear(&session);
}

static void a_baseline_starts_the_counts_at_the_figures_of_the_past(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 1000, 100), b = reading(2, 2, 50, 5);
    observe(&session, &a, &b); /* b was plugged after the reset */
    struct device_reading then = reading(1, 1, 700, 100);
    CHECK(session_apply_baseline(&session, &then, 1));
    CHECK(session.resets == 1);
    CHECK(totals(&session, 350, 5));
    struct device_reading now[] = {reading(1, 1, 1001, 100), reading(2, 2, 51, 5)};
    session_observe(&session, now, 2);
    CHECK(totals(&session, 352, 5));
    session_clear(&session);
}

static void a_baseline_drops_adapters_that_have_gone(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 1000, 100), b = reading(2, 2, 50, 5);
    observe(&session, &a, &b);
    observe(&session, &a, NULL);
    struct device_reading then[] = {reading(1, 1, 1000, 0), reading(2, 2, 50, 5)};
    CHECK(session_apply_baseline(&session, then, 2));
    CHECK(session.count == 1);
    CHECK(totals(&session, 0, 100));
    session_clear(&session);
}

static void a_baseline_above_the_present_figures_is_refused_and_changes_nothing(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 1000, 100), b = reading(2, 2, 50, 5);
    observe(&session, &a, &b);
    struct device_reading then[] = {reading(1, 1, 10, 1), reading(2, 2, 50, 6)};
    CHECK(!session_apply_baseline(&session, then, 2));
    CHECK(session.resets == 0);
    CHECK(totals(&session, 1050, 105));
    session_clear(&session);
}

static void a_baseline_of_adapters_that_the_session_never_had_is_ignored(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 1000, 100));
    struct device_reading then[] = {reading(1, 2, 5000, 5000), reading(3, 3, 1, 1)};
    CHECK(session_apply_baseline(&session, then, 2));
    CHECK(session.count == 1);
    CHECK(totals(&session, 1000, 100));
    session_clear(&session);
}

static void a_copy_lives_on_its_own(void)
{
    struct session session = {0}, copy = {0};
    struct device_reading a = reading(1, 1, 100, 10), b = reading(2, 2, 2000, 200);
    observe(&session, &a, &b);
    CHECK(session_copy(&copy, &session));
    observe_one(&session, reading(1, 1, 500, 10));
    session_clear(&session);
    CHECK(totals(&copy, 2100, 210));
    CHECK(finish(&copy, reading(1, 1, 101, 10)));
    CHECK(totals(&copy, 2101, 210));
    CHECK(session_copy(&copy, &session)); /* over one that was there */
    CHECK(copy.count == 0 && !copy.observed);
    session_clear(&copy);
}

static void a_rebased_adapter_leaves_the_others_alone(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 100, 10), b = reading(2, 2, 2000, 200);
    observe(&session, &a, &b);
    session_rebase_adapter(session_find_adapter(&session, &b.key));
    CHECK(totals(&session, 100, 10));
    session_clear(&session);
}

static void a_finished_adapter_keeps_its_final_figures(void)
{
    struct session session = {0};
    struct device_reading b = reading(2, 2, 2000, 200);
    struct device_reading a = reading(1, 1, 100, 10);
    observe(&session, &a, &b);
    CHECK(finish(&session, reading(1, 1, 160, 12)));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_VANISHED);
    CHECK(!is_attached(&session, 1, 1));
    CHECK(totals(&session, 2160, 212));
    session_clear(&session);
}

static void late_readings_of_a_finished_adapter_change_nothing(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 100, 10));
    finish(&session, reading(1, 1, 160, 12));
    observe_one(&session, reading(1, 1, 120, 11)); /* asked before it went, answered after */
    CHECK(totals(&session, 160, 12));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_VANISHED);
    CHECK(!is_attached(&session, 1, 1));
    observe_one(&session, reading(1, 1, 170, 11)); /* lower in one direction */
    CHECK(totals(&session, 160, 12));
    session_clear(&session);
}

static void a_finished_adapter_that_is_there_again_counts_on(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 100, 10));
    finish(&session, reading(1, 1, 160, 12));
    observe_one(&session, reading(1, 1, 160, 12));
    CHECK(is_attached(&session, 1, 1));
    CHECK(totals(&session, 160, 12));
    observe_one(&session, reading(1, 1, 200, 13));
    CHECK(totals(&session, 200, 13));
    CHECK(finish(&session, reading(1, 1, 230, 13)));
    CHECK(totals(&session, 230, 13));
    session_clear(&session);
}

static void an_adapter_finishes_once(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 100, 10));
    CHECK(finish(&session, reading(1, 1, 160, 12)));
    CHECK(!finish(&session, reading(1, 1, 170, 12)));
    CHECK(totals(&session, 160, 12));
    session_clear(&session);
}

static void an_adapter_that_the_session_never_saw_cannot_finish(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 100, 10));
    CHECK(!finish(&session, reading(1, 2, 160, 12)));
    CHECK(!finish(&session, reading(2, 1, 160, 12)));
    CHECK(session.count == 1);
    CHECK(totals(&session, 100, 10));
    session_clear(&session);
}

static void an_adapter_that_vanished_may_still_get_its_final_figures(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 100, 10));
    session_observe(&session, NULL, 0);
    CHECK(totals(&session, 100, 10));
    CHECK(finish(&session, reading(1, 1, 160, 12)));
    CHECK(totals(&session, 160, 12));
    session_clear(&session);
}

static void final_figures_make_an_unknown_adapter_known(void)
{
    struct session session = {0};
    observe_one(&session, unknown(1, 1));
    CHECK(result_of(&session, DIRECTION_SENT) == SESSION_TOTAL_UNKNOWN);
    finish(&session, reading(1, 1, 160, 12));
    CHECK(totals(&session, 160, 12));
    session_clear(&session);
}

static void a_finished_adapter_is_replaced_by_one_of_another_life(void)
{
    struct session session = {0};
    observe_one(&session, reading(1, 1, 100, 10));
    finish(&session, reading(1, 1, 160, 12));
    observe_one(&session, reading(1, 2, 4, 5));
    CHECK(verdict_of(&session, 1, 2) == VERDICT_APPEARED);
    CHECK(totals(&session, 164, 17));
    session_clear(&session);
}

static void a_reset_drops_finished_adapters(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 100, 10), b = reading(2, 2, 2000, 200);
    observe(&session, &a, &b);
    finish(&session, reading(1, 1, 160, 12));
    CHECK(session_reset(&session, &b, 1));
    CHECK(session.count == 1);
    CHECK(totals(&session, 0, 0));
    session_clear(&session);
}

static void a_total_of_2_96_minus_1_is_known_and_one_more_is_an_overflow(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, 0, 0), b = reading(2, 2, 0, 0);
    struct decimal total;

    a.bytes[SENT] = LARGEST;
    observe(&session, &a, &b);
    CHECK(session_total(&session, DIRECTION_SENT, &total) == SESSION_TOTAL_KNOWN);
    CHECK(decimal_compare(total, LARGEST) == 0);
    b.bytes[SENT] = decimal_from_uint64(1);
    observe(&session, &a, &b);
    CHECK(result_of(&session, DIRECTION_SENT) == SESSION_TOTAL_OVERFLOW);
    CHECK(result_of(&session, DIRECTION_RECEIVED) == SESSION_TOTAL_KNOWN);
    session_reset(&session, &b, 1);
    CHECK(totals(&session, 0, 0));
    session_clear(&session);
}

static void the_sum_of_two_64_bit_figures_is_exact(void)
{
    struct session session = {0};
    struct device_reading a = reading(1, 1, UINT64_MAX, INT64_MAX),
                          b = reading(2, 2, UINT64_MAX, 1);
    struct decimal total;

    observe(&session, &a, &b);
    CHECK(session_total(&session, DIRECTION_SENT, &total) == SESSION_TOTAL_KNOWN);
    CHECK(total.high == 1 && total.low == UINT64_MAX - 1);
    CHECK(session_total(&session, DIRECTION_RECEIVED, &total) == SESSION_TOTAL_KNOWN);
    CHECK(total.high == 0 && total.low == UINT64_C(1) << 63);
    session_clear(&session);
}

static void a_cleared_session_is_a_new_one(void)
{
    struct session session = {0};
    reset_with(&session, reading(1, 1, 100, 10));
    session_clear(&session);
    CHECK(session.count == 0 && session.resets == 0 && !session.observed);
    CHECK(totals(&session, 0, 0));
    observe_one(&session, reading(1, 1, 100, 10));
    CHECK(verdict_of(&session, 1, 1) == VERDICT_FIRST);
    CHECK(totals(&session, 100, 10));
    session_clear(&session);
}

static void hundreds_of_adapters_come_and_go_and_nothing_is_lost(void)
{
    enum { ROUNDS = 400 };
    struct session session = {0};
    uint64_t sent = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct device_reading a = reading((uint8_t)i, i, i + 1, 1);
        CHECK(session_observe(&session, &a, 1));
        sent += i + 1;
        CHECK(totals(&session, sent, i + 1));
    }
    CHECK(session.count == ROUNDS);
    session_clear(&session);
}

/* Whatever is read, in whatever order, a known total does not fall within a
 * session. */
static void a_known_total_never_falls(void)
{
    enum { STEPS = 20000, MACS = 4, LIVES = 3 };
    struct session session = {0};
    struct decimal before = DECIMAL_ZERO;
    uint32_t random = 2005;
    bool never_fell = true;

    for (int step = 0; step < STEPS; step++) {
        struct device_reading readings[MACS];
        size_t count = 0;
        for (uint8_t mac = 0; mac < MACS; mac++) {
            random = random * 1664525u + 1013904223u; /* Numerical Recipes */
            if (random >> 30 == 0)
                continue; /* unplugged */
            readings[count] =
                reading(mac, random >> 8 & 0xff ? 0 : random % LIVES, random >> 16, 0);
            if (random >> 24 == 0x40)
                readings[count].present = 0;
            count++;
        }
        session_observe(&session, readings, count);
        struct decimal total;
        if (session_total(&session, DIRECTION_SENT, &total) != SESSION_TOTAL_KNOWN)
            continue;
        never_fell = never_fell && decimal_compare(total, before) >= 0;
        before = total;
    }
    CHECK(never_fell);
    CHECK(decimal_compare(before, decimal_from_uint64(STEPS)) > 0);
    session_clear(&session);
}

int main(void)
{
    keys_differ_by_mac_and_by_incarnation();
    a_session_without_adapters_totals_zero();
    adapters_of_the_first_look_are_first();
    a_growing_figure_is_advanced();
    a_figure_that_stays_is_advanced();
    a_figure_that_falls_keeps_the_old_bytes();
    a_fall_in_one_direction_is_the_adapters_verdict();
    an_adapter_that_joins_has_appeared();
    an_adapter_joins_a_session_that_was_seen_without_any();
    the_bytes_of_an_adapter_that_vanished_stay();
    an_adapter_made_anew_adds_to_the_one_before();
    an_adapter_that_comes_back_goes_on_where_it_was();
    two_adapters_may_share_a_mac();
    a_figure_that_is_absent_makes_that_total_unknown();
    an_absent_figure_is_not_a_fall_to_zero();
    an_adapter_that_went_without_ever_giving_a_figure_leaves_the_total_unknown();
    a_reset_starts_every_count_at_zero();
    a_reset_may_be_the_first_thing_seen();
    a_reset_drops_adapters_that_have_gone();
    a_reset_drops_what_was_kept_of_falls();
    a_device_made_anew_after_a_reset_counts_from_zero();
    every_reset_is_counted();
    a_figure_that_was_absent_at_the_reset_is_unknown_after_it();
    a_baseline_starts_the_counts_at_the_figures_of_the_past();
    a_baseline_drops_adapters_that_have_gone();
    a_baseline_above_the_present_figures_is_refused_and_changes_nothing();
    a_baseline_of_adapters_that_the_session_never_had_is_ignored();
    a_copy_lives_on_its_own();
    a_rebased_adapter_leaves_the_others_alone();
    a_finished_adapter_keeps_its_final_figures();
    late_readings_of_a_finished_adapter_change_nothing();
    a_finished_adapter_that_is_there_again_counts_on();
    an_adapter_finishes_once();
    an_adapter_that_the_session_never_saw_cannot_finish();
    an_adapter_that_vanished_may_still_get_its_final_figures();
    final_figures_make_an_unknown_adapter_known();
    a_finished_adapter_is_replaced_by_one_of_another_life();
    a_reset_drops_finished_adapters();
    a_total_of_2_96_minus_1_is_known_and_one_more_is_an_overflow();
    the_sum_of_two_64_bit_figures_is_exact();
    a_cleared_session_is_a_new_one();
    hundreds_of_adapters_come_and_go_and_nothing_is_lost();
    a_known_total_never_falls();
    return check_report();
}
