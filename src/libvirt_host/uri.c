#include "libvirt_host/uri.h"

#include <libxml/uri.h>
#include <string.h>
#include <strings.h>

/* What scheme, host and path are; empty texts where there is none. */
struct parts {
    const char *scheme, *host, *path;
};

typedef bool test(const struct parts *parts);

static bool holds(const char *text, test *is)
{
    xmlURIPtr uri = text != NULL ? xmlParseURI(text) : NULL;
    if (uri == NULL)
        return false;
    struct parts parts = {
        .scheme = uri->scheme != NULL ? uri->scheme : "",
        .host = uri->server != NULL ? uri->server : "",
        .path = uri->path != NULL ? uri->path : "",
    };
    bool result = is(&parts);
    xmlFreeURI(uri);
    return result;
}

static bool is_local_qemu(const struct parts *parts)
{
    return parts->host[0] == '\0' &&
           (strcmp(parts->scheme, "qemu") == 0 || strcmp(parts->scheme, "qemu+unix") == 0);
}

static bool is_in_process(const struct parts *parts)
{
    return parts->host[0] == '\0' && strcmp(parts->scheme, "test") == 0;
}

static bool is_served_here(const struct parts *parts)
{
    const char *transport = strchr(parts->scheme, '+');
    return parts->host[0] == '\0' && strcmp(parts->scheme, "test") != 0 &&
           (transport == NULL || strcmp(transport, "+unix") == 0);
}

static bool is_test(const struct parts *parts)
{
    return strcmp(parts->scheme, "test") == 0 || strncmp(parts->scheme, "test+", 5) == 0;
}

static bool is_test_file(const struct parts *parts)
{
    return is_test(parts) && strcmp(parts->path, "/default") != 0;
}

static bool is_session(const struct parts *parts)
{
    return strcmp(parts->path, "/session") == 0;
}

bool uri_is_local_qemu(const char *uri)
{
    return holds(uri, is_local_qemu);
}

bool uri_is_test(const char *uri)
{
    return holds(uri, is_test);
}

bool uri_is_in_process(const char *uri)
{
    return holds(uri, is_in_process);
}

bool uri_is_served_here(const char *uri)
{
    return holds(uri, is_served_here);
}

bool uri_is_test_file(const char *uri)
{
    return holds(uri, is_test_file);
}

bool uri_is_session(const char *uri)
{
    return holds(uri, is_session);
}

/* libvirt knows the parameter in any letter case, and takes the last one. */
char *uri_socket_parameter(const char *text)
{
    static const char name[] = "socket=";
    xmlURIPtr uri = text != NULL ? xmlParseURI(text) : NULL;
    const char *found = NULL;
    char *value = NULL;

    for (const char *query = uri != NULL ? uri->query_raw : NULL; query != NULL;) {
        if (strncasecmp(query, name, strlen(name)) == 0)
            found = query + strlen(name);
        query = strpbrk(query, "&;");
        query = query != NULL ? query + 1 : NULL;
    }
    if (found != NULL) {
        char *unescaped = xmlURIUnescapeString(found, (int)strcspn(found, "&;"), NULL);
        value = unescaped != NULL ? strdup(unescaped) : NULL;
        xmlFree(unescaped);
    }
    if (uri != NULL)
        xmlFreeURI(uri);
    return value;
}
