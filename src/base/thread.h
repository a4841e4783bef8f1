/*
 * thread: background threads, which are detached and block all signals, so that
 * signals reach the program's own threads. None of them touches Lua.
 */
#ifndef VMACCOUNTANT_BASE_THREAD_H
#define VMACCOUNTANT_BASE_THREAD_H

#include "base/fault.h"

#include <stdbool.h>

/* Starts a thread; false when the system cannot create one. */
bool thread_start(void *(*function)(void *), void *argument);

/* Runs the function once in a thread of its own. */
bool thread_run(void (*function)(void *), void *argument, struct fault *fault);

/* What each thread of thread_run() does first, such as silencing a library that
 * keeps its error handlers by thread. Before the first of them. */
void thread_set_prologue(void (*prologue)(void));

#endif
