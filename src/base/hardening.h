/*
 * hardening: what each source is compiled with, included by the compiler's
 * command line (see the Makefile).
 *
 * The C library checks the bounds of buffers only in optimised code, and warns
 * of _FORTIFY_SOURCE in other code; a distribution's compiler may set it already;
 * and the sanitizers replace the same functions. A flag on the command line
 * cannot test for any of this.
 */
#ifndef VMACCOUNTANT_BASE_HARDENING_H
#define VMACCOUNTANT_BASE_HARDENING_H

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VMACCOUNTANT_SANITIZED
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define VMACCOUNTANT_SANITIZED
#endif

#if defined __OPTIMIZE__ && !defined _FORTIFY_SOURCE && !defined VMACCOUNTANT_SANITIZED
#define _FORTIFY_SOURCE 2
#endif

#endif
