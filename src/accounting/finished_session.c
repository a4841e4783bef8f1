#include "accounting/finished_session.h"

#include "base/clock.h"

/* The end of the session as it is shown to people: where the wall clock has been
 * set since the start, that and the duration say when the end was. */
static int64_t wall_time_of_end(const struct account *account, const struct moment *end)
{
    int64_t by_duration = account->started.wall + (end->at - account->started.at) / CLOCK_SECOND;
    int64_t wall = end->wall;

    if (!account->start_known)
        return wall;
    if (wall < by_duration - 1 || wall > by_duration + 1) /* each is rounded */
        wall = by_duration;
    return wall < account->started.wall ? account->started.wall : wall;
}

void account_keep_finished_locked(struct account *account, const struct moment *end,
                                  enum stop_reason reason)
{
    struct finished_session *finished = &account->finished;

    finished->exists = session_copy(&finished->session, &account->session);
    /* After a reset the devices go on, and what they count is not of it. */
    for (size_t i = 0; reason == STOP_RESET && i < finished->session.count; i++)
        finished->session.adapters[i].finished = true;
    finished->domain_id = account->last.domain_id;
    finished->start_known = account->start_known;
    finished->started = account->started;
    finished->ended = (struct moment){.at = end->at, .wall = wall_time_of_end(account, end)};
    finished->reason = reason;
}

bool session_finish_device(struct session *session, uint64_t incarnation,
                           const struct decimal bytes[DIRECTION_COUNT])
{
    for (size_t i = 0; i < session->count; i++) {
        struct session_adapter *adapter = &session->adapters[i];
        if (adapter->key.incarnation != incarnation || adapter->finished)
            continue;
        struct device_reading final = {.key = adapter->key};
        for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
            const struct counter *counter = &adapter->counters[direction];
            if (!counter->seen)
                continue;
            if (decimal_compare(bytes[direction], counter->last) < 0)
                return false;
            final.present |= 1u << direction;
            final.bytes[direction] = bytes[direction];
        }
        return session_finish_adapter(session, &final);
    }
    return false;
}
