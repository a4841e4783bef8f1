/* Names of machines: the same in any letter case of Unicode; what is no UTF-8 is
 * the same as nothing but itself. */
#include "host/name.h"

#include "../support/check.h"

static void letter_case_is_unicodes(void)
{
    CHECK(machine_name_equal("web01", "WEB01"));
    CHECK(machine_name_equal("M\xc3\xbcller", "M\xc3\x9cLLER"));
    CHECK(!machine_name_equal("web01", "web1"));
}

static void what_is_no_utf8_is_only_itself(void)
{
    static const char *const names[] = {
        "web01",
        "web01\xe0\x80\x80-old", /* U+0000 in three bytes */
        "web01\xe0\x80\x80",
        "\xe0\x81\xb7"
        "eb01", /* w in three bytes */
        "\xc1\xb7"
        "eb01",
        "web01\xf0\x80\x80\x80junk",
        "\xed\xa0\x80",
        "\xed\xa0\x81",
        "\xf4\x90\x80\x80",
        "\xff",
        "\xfe",
        "\xc3",
        "\xc3\xbc",
        "\xfc",
    };
    enum { NAMES = sizeof names / sizeof names[0] };

    for (int i = 0; i < NAMES; i++)
        for (int k = 0; k < NAMES; k++)
            if (!CHECK(machine_name_equal(names[i], names[k]) == (i == k)))
                printf("%d and %d\n", i, k);
    CHECK(machine_name_equal("\xff Web", "\xff wEB"));
}

int main(void)
{
    letter_case_is_unicodes();
    what_is_no_utf8_is_only_itself();
    return check_report();
}
