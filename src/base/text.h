/*
 * text: text functions that do not depend on the locale that the program has set,
 * and checks of UTF-8.
 */
#ifndef VMACCOUNTANT_BASE_TEXT_H
#define VMACCOUNTANT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The letter in lower case, as ASCII has it; other bytes stay. */
char text_lower(char c);

/* Whether the names are the same in any letter case of ASCII. */
bool text_same_name(const char *a, const char *b);

/* How many bytes the character has that the text begins with: well-formed UTF-8
 * by RFC 3629, so nothing overlong, no surrogates, nothing above U+10FFFF. 0 for
 * anything else, and where nothing is available. */
size_t text_character_length(const char *text, size_t available);

/* Whether all of it is well-formed UTF-8 without a NUL. */
bool text_is_valid(const char *text, size_t length);

enum { NUMBER_TEXT_SIZE = 32 };

/* Up to six significant digits, as "%.6g" in the locale "C". */
const char *text_of_number(double number, char text[NUMBER_TEXT_SIZE]);

#endif
