/*
 * version: the module's version, which is said here and nowhere else by hand.
 * After a change, `make rockspec` writes the release's rockspec; `make
 * check-docs` and `make check-rockspec` fail until all agree with it.
 */
#ifndef VMACCOUNTANT_BINDING_VERSION_H
#define VMACCOUNTANT_BINDING_VERSION_H

#define VMACCOUNTANT_VERSION "0.9.0"

#endif
