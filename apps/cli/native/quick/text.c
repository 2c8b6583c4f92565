/*
 * Bytes and text for JavaScript: their part of `system`.
 *
 * Knows: UTF-8.
 * Does not know: files.
 */
#include <stdlib.h>
#include <string.h>

#include "quick.h"

uint8_t *bytes_of(JSContext *js, JSValueConst *words, size_t *length)
{
    size_t start, size, whole;
    uint32_t offset = 0, wanted = 0;
    JSValue buffer = JS_GetTypedArrayBuffer(js, words[0], &start, &size, NULL);
    uint8_t *bytes;

    if (JS_IsException(buffer))
        return NULL;
    bytes = JS_GetArrayBuffer(js, &whole, buffer);
    JS_FreeValue(js, buffer);
    JS_ToUint32(js, &offset, words[1]);
    JS_ToUint32(js, &wanted, words[2]);
    if (bytes == NULL || offset > size || wanted > size - offset) {
        JS_ThrowRangeError(js, "outside of the array");
        return NULL;
    }
    *length = wanted;
    return bytes + start + offset;
}

static void free_bytes(JSRuntime *runtime, void *opaque, void *bytes)
{
    (void)runtime, (void)opaque;
    free(bytes);
}

/* encode(text): an ArrayBuffer of its UTF-8 */
CALL(js_encode)
{
    size_t length;
    const char *text = JS_ToCStringLen(js, &length, words[0]);
    uint8_t *bytes = text == NULL ? NULL : malloc(length + 1);

    (void)this, (void)count;
    if (bytes != NULL)
        memcpy(bytes, text, length);
    if (text != NULL)
        JS_FreeCString(js, text);
    return bytes == NULL ? JS_ThrowOutOfMemory(js) : JS_NewArrayBuffer(js, bytes, length, free_bytes, NULL, false);
}

/* The length of a character by its first byte; 0: none begins with it. What the following bytes are is asked of each. */
static size_t sequence_length(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* Surrogates and overlong forms are none, as in RFC 3629. */
static bool is_utf8(const uint8_t *bytes, size_t length)
{
    for (size_t at = 0, size; at < length; at += size) {
        size = sequence_length(bytes[at]);
        if (size == 0 || size > length - at)
            return false;
        for (size_t i = 1; i < size; i++)
            if ((bytes[at + i] & 0xc0) != 0x80)
                return false;
        if (size >= 3) {
            unsigned int head = bytes[at] << 8 | bytes[at + 1];
            if ((head >= 0xe080 && head < 0xe0a0) || (head >= 0xeda0 && head < 0xedc0) || (head >= 0xf080 && head < 0xf090) || head >= 0xf490)
                return false;
        }
    }
    return true;
}

/* decode(bytes, offset, length); undefined: it is no UTF-8 */
CALL(js_decode)
{
    size_t length;
    uint8_t *bytes = bytes_of(js, words, &length);

    (void)this, (void)count;
    if (bytes == NULL)
        return JS_EXCEPTION;
    return is_utf8(bytes, length) ? JS_NewStringLen(js, (const char *)bytes, length) : JS_UNDEFINED;
}

static const JSCFunctionListEntry CALLS[] = {
    JS_CFUNC_DEF("encode", 1, js_encode),
    JS_CFUNC_DEF("decode", 3, js_decode),
};

void add_text(JSContext *js, JSValue system)
{
    JS_SetPropertyFunctionList(js, system, CALLS, sizeof(CALLS) / sizeof(*CALLS));
}
