#include "base/hresult.h"

#define HRESULT_ENTRY(name, number) {#name, number},

const struct hresult_entry hresult_table[] = {GENERIC_HRESULTS(HRESULT_ENTRY)
                                                  VIRTUAL_SERVER_HRESULTS(HRESULT_ENTRY){NULL, 0}};

const char *hresult_name(enum hresult number)
{
    for (const struct hresult_entry *entry = hresult_table; entry->name != NULL; entry++)
        if (entry->number == (uint32_t)number)
            return entry->name;
    return "HRESULT";
}
