/*
 * Short texts built without stdio.
 *
 * Knows: decimal numbers and the calendar.
 * Does not know: what the texts are for.
 */
#define _GNU_SOURCE
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void text_add(struct text *t, const char *addition)
{
    size_t length = strlen(addition);

    if (length > sizeof(t->bytes) - 1 - t->length)
        length = sizeof(t->bytes) - 1 - t->length;
    memcpy(t->bytes + t->length, addition, length);
    t->length += length;
    t->bytes[t->length] = '\0';
}

void text_add_padded(struct text *t, uint64_t number, unsigned width)
{
    char digits[24];
    size_t at = sizeof(digits) - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
        width -= width > 0;
    } while ((number > 0 || width > 0) && at > 0);
    text_add(t, digits + at);
}

void text_add_number(struct text *t, uint64_t number)
{
    text_add_padded(t, number, 1);
}

/* Days since 1970 to a date, by eras of 400 years that begin in March, so that the leap day comes last. */
static void text_add_date(struct text *t, int64_t days)
{
    int64_t shifted = days + 719468;
    int64_t era = shifted / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

    text_add_padded(t, (uint64_t)(year_of_era + era * 400 + (month <= 2)), 4);
    text_add(t, "-");
    text_add_padded(t, (uint64_t)month, 2);
    text_add(t, "-");
    text_add_padded(t, (uint64_t)(day_of_year - (153 * month_from_march + 2) / 5 + 1), 2);
}

void text_add_time(struct text *t, const struct timespec *time)
{
    uint64_t second = (uint64_t)time->tv_sec;

    text_add_date(t, (int64_t)(second / 86400));
    text_add(t, "T");
    text_add_padded(t, second / 3600 % 24, 2);
    text_add(t, ":");
    text_add_padded(t, second / 60 % 60, 2);
    text_add(t, ":");
    text_add_padded(t, second % 60, 2);
    text_add(t, ".");
    text_add_padded(t, (uint64_t)time->tv_nsec, 9);
    text_add(t, "Z");
}

int write_file(const char *path, const struct text *content)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t written;
    int error;

    if (fd < 0)
        return -1;
    written = write(fd, content->bytes, content->length);
    error = errno;
    close(fd);
    errno = error;
    return written == (ssize_t)content->length ? 0 : -1;
}
