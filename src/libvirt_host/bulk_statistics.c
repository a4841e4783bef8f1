#include "libvirt_host/bulk_statistics.h"

#include "libvirt_host/libvirt_host.h"

bool bulk_statistics_exist(struct libvirt_host *self, enum bulk_kind kind)
{
    pthread_mutex_lock(&self->lock);
    bool exist = !self->lacks_bulk[kind];
    pthread_mutex_unlock(&self->lock);
    return exist;
}

bool bulk_statistics_are_unsupported(struct libvirt_host *self, enum bulk_kind kind)
{
    int code = virGetLastErrorCode();

    if (code != VIR_ERR_ARGUMENT_UNSUPPORTED && code != VIR_ERR_NO_SUPPORT)
        return false;
    pthread_mutex_lock(&self->lock);
    self->lacks_bulk[kind] = true;
    pthread_mutex_unlock(&self->lock);
    return true;
}
