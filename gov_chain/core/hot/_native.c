/* What `definition.py` says, in C. Each function here is one there, with the same arguments, results and refusals; the Python is
   the definition, and tests/core/test_hot.py holds the two equal. Nothing is kept between calls, nothing is read or written but
   the arguments and the result. The GIL is held throughout: no argument changes underfoot, save lists by our own hand. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define DIGEST 32
#define PAIR (2 * DIGEST)
#define MAX_DEPTH 6
#define CHILDREN 16
#define GROUP (4 * DIGEST)
#define NODE_BODY (2 + CHILDREN * DIGEST)

/* SHA-256, FIPS 180-4. With the processor's own instructions where it has them. */

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint32_t START[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static uint32_t load32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void store32(uint8_t *at, uint32_t value)
{
    at[0] = value >> 24, at[1] = value >> 16, at[2] = value >> 8, at[3] = value;
}

#define ROTATE(x, by) ((x) >> (by) | (x) << (32 - (by)))

static void blocks_portable(uint32_t state[8], const uint8_t *data, size_t count)
{
    uint32_t w[64];
    for (; count; count--, data += 64) {
        for (int i = 0; i < 16; i++)
            w[i] = load32(data + 4 * i);
        for (int i = 16; i < 64; i++) {
            uint32_t low = ROTATE(w[i - 15], 7) ^ ROTATE(w[i - 15], 18) ^ w[i - 15] >> 3;
            uint32_t high = ROTATE(w[i - 2], 17) ^ ROTATE(w[i - 2], 19) ^ w[i - 2] >> 10;
            w[i] = w[i - 16] + low + w[i - 7] + high;
        }
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (int i = 0; i < 64; i++) {
            uint32_t one = h + (ROTATE(e, 6) ^ ROTATE(e, 11) ^ ROTATE(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i];
            uint32_t two = (ROTATE(a, 2) ^ ROTATE(a, 13) ^ ROTATE(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            h = g, g = f, f = e, e = d + one, d = c, c = b, b = a, a = one + two;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;
    }
}

static void (*blocks)(uint32_t state[8], const uint8_t *data, size_t count) = blocks_portable;

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>

/* Intel SHA extensions: two rounds an instruction, four message words a register. */
__attribute__((target("sha,sse4.1"))) static void blocks_sha(uint32_t state[8], const uint8_t *data, size_t count)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bULL, 0x0405060700010203ULL);
    __m128i low = _mm_loadu_si128((const __m128i *)state);        /* d c b a */
    __m128i high = _mm_loadu_si128((const __m128i *)(state + 4)); /* h g f e */
    low = _mm_shuffle_epi32(low, 0xB1);
    high = _mm_shuffle_epi32(high, 0x1B);
    __m128i abef = _mm_alignr_epi8(low, high, 8);
    __m128i cdgh = _mm_blend_epi16(high, low, 0xF0);
    for (; count; count--, data += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];
        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * i)), swap);
        for (int i = 0; i < 16; i++) {
            __m128i now = w[i & 3];
            __m128i sum = _mm_add_epi32(now, _mm_loadu_si128((const __m128i *)(K + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
            if (i < 12) {
                __m128i last = w[(i + 3) & 3];
                __m128i next = _mm_sha256msg1_epu32(now, w[(i + 1) & 3]);
                next = _mm_add_epi32(next, _mm_alignr_epi8(last, w[(i + 2) & 3], 4));
                w[i & 3] = _mm_sha256msg2_epu32(next, last);
            }
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    low = _mm_shuffle_epi32(abef, 0x1B);
    high = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xF0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

static void choose_blocks(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3))
        return;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && b & 1u << 29)
        blocks = blocks_sha;
}
#else
static void choose_blocks(void) {}
#endif

/* SHA-256 of one byte (unless `tag` is negative) and then `size` bytes. */
static void digest(int tag, const uint8_t *data, size_t size, uint8_t out[DIGEST])
{
    uint32_t state[8];
    uint8_t block[128];
    size_t filled = 0, total = size;
    memcpy(state, START, sizeof state);
    if (tag >= 0) {
        block[filled++] = (uint8_t)tag;
        total++;
        if (size >= 63) {
            memcpy(block + 1, data, 63);
            blocks(state, block, 1);
            data += 63, size -= 63, filled = 0;
        }
    }
    if (filled == 0 && size >= 64) {
        blocks(state, data, size / 64);
        data += size / 64 * 64, size %= 64;
    }
    memcpy(block + filled, data, size);
    filled += size;
    block[filled++] = 0x80;
    size_t whole = filled <= 56 ? 64 : 128;
    memset(block + filled, 0, whole - 8 - filled);
    store32(block + whole - 8, (uint32_t)((uint64_t)total >> 29));
    store32(block + whole - 4, (uint32_t)((uint64_t)total << 3));
    blocks(state, block, whole / 64);
    for (int i = 0; i < 8; i++)
        store32(out + 4 * i, state[i]);
}

static PyObject *digest_object(int tag, const uint8_t *data, size_t size)
{
    PyObject *made = PyBytes_FromStringAndSize(NULL, DIGEST);
    if (made)
        digest(tag, data, size, (uint8_t *)PyBytes_AS_STRING(made));
    return made;
}

/* Arguments. */

static int counted(const char *name, Py_ssize_t given, Py_ssize_t wanted)
{
    if (given == wanted)
        return 1;
    PyErr_Format(PyExc_TypeError, "%s takes %zd arguments", name, wanted);
    return 0;
}

static int is_bytes(PyObject *value, Py_ssize_t size)
{
    if (PyBytes_CheckExact(value) && (size < 0 || PyBytes_GET_SIZE(value) == size))
        return 1;
    if (PyBytes_CheckExact(value))
        PyErr_Format(PyExc_ValueError, "not %zd bytes", size);
    else
        PyErr_SetString(PyExc_TypeError, "not bytes");
    return 0;
}

static const uint8_t *bytes_of(PyObject *value)
{
    return (const uint8_t *)PyBytes_AS_STRING(value);
}

static PyObject *sha256(PyObject *self, PyObject *data)
{
    return is_bytes(data, -1) ? digest_object(-1, bytes_of(data), PyBytes_GET_SIZE(data)) : NULL;
}

static PyObject *hashes(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("hashes", given, 2))
        return NULL;
    long tag = PyLong_AsLong(args[0]);
    if (tag == -1 && PyErr_Occurred())
        return NULL;
    if (tag < 0 || tag > 255)
        return PyErr_Format(PyExc_ValueError, "a tag is a byte");
    PyObject *items = PySequence_Fast(args[1], "not a sequence");
    if (!items)
        return NULL;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    PyObject *made = PyList_New(count);
    for (Py_ssize_t i = 0; made && i < count; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(items, i);
        PyObject *hash = is_bytes(item, -1) ? digest_object((int)tag, bytes_of(item), PyBytes_GET_SIZE(item)) : NULL;
        if (hash)
            PyList_SET_ITEM(made, i, hash);
        else
            Py_CLEAR(made);
    }
    Py_DECREF(items);
    return made;
}

/* The log's tree. */

static PyObject *grow(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("grow", given, 3))
        return NULL;
    if (!PyList_CheckExact(args[0]))
        return PyErr_Format(PyExc_TypeError, "the stack is no list");
    uint64_t size = PyLong_AsUnsignedLongLong(args[1]);
    if (size == (uint64_t)-1 && PyErr_Occurred())
        return NULL;
    uint8_t stack[64][DIGEST];
    Py_ssize_t depth = PyList_GET_SIZE(args[0]);
    if (size >> 62 || depth != __builtin_popcountll(size))
        return PyErr_Format(PyExc_ValueError, "not the stack of this size");
    for (Py_ssize_t i = 0; i < depth; i++) {
        PyObject *each = PyList_GET_ITEM(args[0], i);
        if (!is_bytes(each, DIGEST))
            return NULL;
        memcpy(stack[i], bytes_of(each), DIGEST);
    }
    PyObject *leaves = PySequence_Fast(args[2], "not a sequence");
    if (!leaves)
        return NULL;
    PyObject *finished = PyList_New(0);
    Py_ssize_t count = PySequence_Fast_GET_SIZE(leaves);
    for (Py_ssize_t i = 0; finished && i < count; i++) {
        PyObject *leaf = PySequence_Fast_GET_ITEM(leaves, i);
        if (!is_bytes(leaf, DIGEST)) {
            Py_CLEAR(finished);
            break;
        }
        memcpy(stack[depth++], bytes_of(leaf), DIGEST);
        int level = 0;
        for (uint64_t here = size; here & 1 && finished; here >>= 1) {
            depth--;
            digest(1, stack[depth - 1], 2 * DIGEST, stack[depth - 1]);
            if (++level % 8 == 0) {
                PyObject *row = Py_BuildValue("(iy#)", level, stack[depth - 1], (Py_ssize_t)DIGEST);
                if (!row || PyList_Append(finished, row))
                    Py_CLEAR(finished);
                Py_XDECREF(row);
            }
        }
        size++;
    }
    Py_DECREF(leaves);
    if (!finished)
        return NULL;
    PyObject *after = PyList_New(depth);
    for (Py_ssize_t i = 0; after && i < depth; i++) {
        PyObject *each = PyBytes_FromStringAndSize((const char *)stack[i], DIGEST);
        if (each)
            PyList_SET_ITEM(after, i, each);
        else
            Py_CLEAR(after);
    }
    if (!after || PyList_SetSlice(args[0], 0, PyList_GET_SIZE(args[0]), after))
        Py_CLEAR(finished);
    Py_XDECREF(after);
    return finished;
}

/* Entry bundles. */

static PyObject *bundle(PyObject *self, PyObject *entries)
{
    PyObject *items = PySequence_Fast(entries, "not a sequence");
    if (!items)
        return NULL;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items), size = 0;
    PyObject *made = NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(items, i);
        if (!is_bytes(item, -1))
            goto done;
        if (PyBytes_GET_SIZE(item) > 0xFFFF) {
            PyErr_SetString(PyExc_ValueError, "an entry too long for a bundle");
            goto done;
        }
        size += 2 + PyBytes_GET_SIZE(item);
    }
    made = PyBytes_FromStringAndSize(NULL, size);
    uint8_t *at = made ? (uint8_t *)PyBytes_AS_STRING(made) : NULL;
    for (Py_ssize_t i = 0; made && i < count; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(items, i);
        Py_ssize_t length = PyBytes_GET_SIZE(item);
        at[0] = (uint8_t)(length >> 8), at[1] = (uint8_t)length;
        memcpy(at + 2, bytes_of(item), (size_t)length);
        at += 2 + length;
    }
done:
    Py_DECREF(items);
    return made;
}

static PyObject *unbundle(PyObject *self, PyObject *data)
{
    if (!is_bytes(data, -1))
        return NULL;
    const uint8_t *at = bytes_of(data), *end = at + PyBytes_GET_SIZE(data);
    PyObject *made = PyList_New(0);
    while (made && at < end) {
        Py_ssize_t length = end - at < 2 ? -1 : at[0] << 8 | at[1];
        if (length < 0 || end - at - 2 < length) {
            Py_DECREF(made);
            return PyErr_Format(PyExc_ValueError, "a bundle cut short");
        }
        PyObject *entry = PyBytes_FromStringAndSize((const char *)at + 2, length);
        if (!entry || PyList_Append(made, entry))
            Py_CLEAR(made);
        Py_XDECREF(entry);
        at += 2 + length;
    }
    return made;
}

/* Deterministic CBOR of unsigned integers, byte strings and arrays. */

typedef struct {
    const uint8_t *at, *end;
} Reader;

static PyObject *not_canonical(const char *why)
{
    PyErr_SetString(PyExc_ValueError, why);
    return NULL;
}

static int read_head(Reader *from, int *major, uint64_t *value)
{
    if (from->at == from->end)
        return not_canonical("cut short"), 0;
    uint8_t first = *from->at++;
    int more = first & 31;
    *major = first >> 5;
    if (more < 24) {
        *value = more;
        return 1;
    }
    if (more > 27)
        return not_canonical("another encoding of the same value"), 0;
    int size = 1 << (more - 24);
    if (from->end - from->at < size)
        return not_canonical("cut short"), 0;
    uint64_t found = 0;
    for (int i = 0; i < size; i++)
        found = found << 8 | *from->at++;
    if (found < (size == 1 ? 24 : (uint64_t)1 << 4 * size))
        return not_canonical("another encoding of the same value"), 0;
    *value = found;
    return 1;
}

static PyObject *read_value(Reader *from, int depth)
{
    int major;
    uint64_t value;
    if (!read_head(from, &major, &value))
        return NULL;
    if (major == 0)
        return PyLong_FromUnsignedLongLong(value);
    if (major == 2) {
        if (value > (uint64_t)(from->end - from->at))
            return not_canonical("cut short");
        PyObject *made = PyBytes_FromStringAndSize((const char *)from->at, (Py_ssize_t)value);
        from->at += value;
        return made;
    }
    if (major != 4)
        return not_canonical("only unsigned integers, byte strings and arrays are canonical here");
    if (depth == 0)
        return not_canonical("nested too deeply");
    if (value > (uint64_t)(from->end - from->at))
        return not_canonical("cut short");
    PyObject *made = PyList_New((Py_ssize_t)value);
    for (uint64_t i = 0; made && i < value; i++) {
        PyObject *item = read_value(from, depth - 1);
        if (item)
            PyList_SET_ITEM(made, (Py_ssize_t)i, item);
        else
            Py_CLEAR(made);
    }
    return made;
}

static PyObject *decode(PyObject *self, PyObject *data)
{
    if (!is_bytes(data, -1))
        return NULL;
    Reader from = {bytes_of(data), bytes_of(data) + PyBytes_GET_SIZE(data)};
    PyObject *made = read_value(&from, MAX_DEPTH);
    if (made && from.at != from.end) {
        Py_DECREF(made);
        return not_canonical("something after the value");
    }
    return made;
}

typedef struct {
    uint8_t *data;
    size_t used, room;
    uint8_t near[512];
} Writer;

static uint8_t *claim(Writer *to, size_t more)
{
    if (to->room - to->used < more) {
        size_t room = 2 * to->room + more;
        uint8_t *data = to->data == to->near ? PyMem_Malloc(room) : PyMem_Realloc(to->data, room);
        if (!data) {
            PyErr_NoMemory();
            return NULL;
        }
        if (to->data == to->near)
            memcpy(data, to->near, to->used);
        to->data = data, to->room = room;
    }
    to->used += more;
    return to->data + to->used - more;
}

static int write_head(Writer *to, int major, uint64_t value)
{
    int size = value < 24 ? 0 : value < 1u << 8 ? 1 : value < 1u << 16 ? 2 : value < (uint64_t)1 << 32 ? 4 : 8;
    uint8_t *at = claim(to, 1 + size);
    if (!at)
        return 0;
    static const uint8_t more[9] = {[1] = 24, [2] = 25, [4] = 26, [8] = 27};
    *at = (uint8_t)(major << 5 | (size ? more[size] : (uint8_t)value));
    for (int i = size; i > 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
    return 1;
}

static int write_value(Writer *to, PyObject *value, int depth)
{
    if (PyLong_CheckExact(value)) {
        uint64_t number = PyLong_AsUnsignedLongLong(value);
        if (number == (uint64_t)-1 && PyErr_Occurred()) {
            PyErr_Clear();
            return not_canonical("only unsigned integers, byte strings and arrays are canonical here"), 0;
        }
        return write_head(to, 0, number);
    }
    if (PyBytes_CheckExact(value)) {
        Py_ssize_t size = PyBytes_GET_SIZE(value);
        if (!write_head(to, 2, (uint64_t)size))
            return 0;
        uint8_t *at = claim(to, (size_t)size);
        if (!at)
            return 0;
        memcpy(at, bytes_of(value), (size_t)size);
        return 1;
    }
    if (PyList_CheckExact(value) || PyTuple_CheckExact(value)) {
        if (depth == 0)
            return not_canonical("nested too deeply"), 0;
        Py_ssize_t count = PySequence_Fast_GET_SIZE(value);
        if (!write_head(to, 4, (uint64_t)count))
            return 0;
        for (Py_ssize_t i = 0; i < count; i++)
            if (!write_value(to, PySequence_Fast_GET_ITEM(value, i), depth - 1))
                return 0;
        return 1;
    }
    return not_canonical("only unsigned integers, byte strings and arrays are canonical here"), 0;
}

static PyObject *encode(PyObject *self, PyObject *value)
{
    Writer to;
    to.data = to.near, to.used = 0, to.room = sizeof to.near;
    PyObject *made = NULL;
    if (write_value(&to, value, MAX_DEPTH))
        made = PyBytes_FromStringAndSize((const char *)to.data, (Py_ssize_t)to.used);
    if (to.data != to.near)
        PyMem_Free(to.data);
    return made;
}

/* Shapes, as the tuples that `shapes.py` makes of them. 1 fits, 0 does not, -1 an error. */

static int number_in(PyObject *value, PyObject *least, PyObject *limit)
{
    if (!PyLong_CheckExact(value))
        return 0;
    uint64_t number = PyLong_AsUnsignedLongLong(value);
    if (number == (uint64_t)-1 && PyErr_Occurred()) {
        PyErr_Clear(); /* negative, or beyond every limit */
        return 0;
    }
    uint64_t from = PyLong_AsUnsignedLongLong(least), to = PyLong_AsUnsignedLongLong(limit);
    if (PyErr_Occurred())
        return -1;
    return from <= number && number < to;
}

static int fits_shape(PyObject *value, PyObject *shape);

static int fits_row(PyObject *value, Py_ssize_t skip, PyObject *items)
{
    Py_ssize_t count = PyTuple_GET_SIZE(items);
    if (!PyList_CheckExact(value) || PyList_GET_SIZE(value) != count + skip)
        return 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        int found = fits_shape(PyList_GET_ITEM(value, i + skip), PyTuple_GET_ITEM(items, i));
        if (found != 1)
            return found;
    }
    return 1;
}

static int fits_shape(PyObject *value, PyObject *shape)
{
    if (!PyTuple_CheckExact(shape) || PyTuple_GET_SIZE(shape) < 2 || !PyLong_CheckExact(PyTuple_GET_ITEM(shape, 0))) {
        PyErr_SetString(PyExc_TypeError, "not a shape");
        return -1;
    }
    PyObject *one = PyTuple_GET_ITEM(shape, 1);
    Py_ssize_t parts = PyTuple_GET_SIZE(shape);
    switch (PyLong_AsLong(PyTuple_GET_ITEM(shape, 0))) {
    case 0: /* integer: least, limit */
        if (parts == 3)
            return number_in(value, one, PyTuple_GET_ITEM(shape, 2));
        break;
    case 1: /* bytes: size */
        if (parts == 2 && PyLong_CheckExact(one))
            return PyBytes_CheckExact(value) && PyBytes_GET_SIZE(value) == PyLong_AsSsize_t(one);
        break;
    case 2: /* row: shapes */
        if (parts == 2 && PyTuple_CheckExact(one))
            return fits_row(value, 0, one);
        break;
    case 3: /* many: shape, least, most */
        if (parts == 4) {
            if (!PyList_CheckExact(value))
                return 0;
            Py_ssize_t count = PyList_GET_SIZE(value);
            Py_ssize_t least = PyLong_AsSsize_t(PyTuple_GET_ITEM(shape, 2));
            Py_ssize_t most = PyLong_AsSsize_t(PyTuple_GET_ITEM(shape, 3));
            if (PyErr_Occurred())
                return -1;
            if (count < least || count > most)
                return 0;
            for (Py_ssize_t i = 0; i < count; i++) {
                int found = fits_shape(PyList_GET_ITEM(value, i), one);
                if (found != 1)
                    return found;
            }
            return 1;
        }
        break;
    case 4: /* choice: number -> shapes of the row after it */
        if (parts == 2 && PyDict_CheckExact(one)) {
            if (!PyList_CheckExact(value) || !PyList_GET_SIZE(value) || !PyLong_CheckExact(PyList_GET_ITEM(value, 0)))
                return 0;
            PyObject *row = PyDict_GetItemWithError(one, PyList_GET_ITEM(value, 0));
            if (!row)
                return PyErr_Occurred() ? -1 : 0;
            if (PyTuple_CheckExact(row))
                return fits_row(value, 1, row);
        }
        break;
    case 5: /* whatever a function says */
        if (parts == 2) {
            PyObject *said = PyObject_CallOneArg(one, value);
            int found = said ? PyObject_IsTrue(said) : -1;
            Py_XDECREF(said);
            return found;
        }
        break;
    }
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "not a shape");
    return -1;
}

static PyObject *records(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("records", given, 2))
        return NULL;
    if (!PyDict_CheckExact(args[1]))
        return PyErr_Format(PyExc_TypeError, "the shapes are no dict");
    PyObject *items = PySequence_Fast(args[0], "not a sequence");
    if (!items)
        return NULL;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    PyObject *made = PyList_New(count);
    for (Py_ssize_t i = 0; made && i < count; i++) {
        PyObject *record = decode(self, PySequence_Fast_GET_ITEM(items, i));
        if (!record) {
            if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
                Py_CLEAR(made);
                break;
            }
            PyErr_Clear();
        } else {
            int good = PyList_CheckExact(record) && PyList_GET_SIZE(record) && PyLong_CheckExact(PyList_GET_ITEM(record, 0));
            PyObject *kind = good ? PyList_GET_ITEM(record, 0) : NULL;
            PyObject *shape = good ? PyDict_GetItemWithError(args[1], kind) : NULL;
            int fitting = shape ? fits_shape(record, shape) : 0;
            if (fitting < 0 || (!shape && PyErr_Occurred())) {
                Py_DECREF(record);
                Py_CLEAR(made);
                break;
            }
            if (!fitting) {
                PyObject *unknown = good && !shape ? kind : NULL;
                Py_XINCREF(unknown);
                Py_DECREF(record);
                record = unknown;
            }
        }
        PyList_SET_ITEM(made, i, record ? record : Py_NewRef(Py_None));
    }
    Py_DECREF(items);
    return made;
}

static PyObject *fits(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("fits", given, 2))
        return NULL;
    int found = fits_shape(args[0], args[1]);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

/* The state map: buckets and inner nodes as they are stored (see `statemap.py`). */

#define BUCKET 16

typedef struct {
    const uint8_t *pair, *value; /* path and value hash; the value */
    uint32_t size;
} Row;

static uint32_t rows_in(const uint8_t *blob, size_t size, Row **rows)
{
    uint32_t count = size >= 4 ? load32(blob) : 0;
    *rows = NULL;
    if (size && (count == 0 || (size - 4) / (PAIR + 4) < count))
        goto wrong;
    *rows = PyMem_Malloc(((size_t)count + 1) * sizeof(Row));
    if (!*rows) {
        PyErr_NoMemory();
        return 0;
    }
    const uint8_t *pair = blob + 4, *length = pair + (size_t)count * PAIR, *value = length + (size_t)count * 4;
    size_t left = size - (size ? 4 + (size_t)count * (PAIR + 4) : 0);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t here = load32(length + 4 * (size_t)i);
        if (here > left)
            goto wrong;
        (*rows)[i] = (Row){pair + (size_t)i * PAIR, value, here};
        value += here, left -= here;
    }
    if (left == 0)
        return count;
wrong:
    PyMem_Free(*rows);
    *rows = NULL;
    PyErr_SetString(PyExc_ValueError, "not a bucket");
    return 0;
}

static PyObject *bucket_of(const Row *rows, size_t count)
{
    size_t size = 4 + count * (PAIR + 4);
    for (size_t i = 0; i < count; i++)
        size += rows[i].size;
    PyObject *made = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (!made)
        return NULL;
    uint8_t *at = (uint8_t *)PyBytes_AS_STRING(made);
    store32(at, (uint32_t)count);
    uint8_t *pair = at + 4, *length = pair + count * PAIR, *value = length + count * 4;
    for (size_t i = 0; i < count; i++) {
        memcpy(pair + i * PAIR, rows[i].pair, PAIR);
        store32(length + 4 * i, rows[i].size);
        memcpy(value, rows[i].value, rows[i].size);
        value += rows[i].size;
    }
    return made;
}

static PyObject *bucket_hash(PyObject *bucket)
{
    const uint8_t *at = bytes_of(bucket);
    return digest_object(0x11, at + 4, (size_t)load32(at) * PAIR);
}

static PyObject *bucket_holds(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("bucket_holds", given, 2) || !is_bytes(args[0], -1) || !is_bytes(args[1], DIGEST))
        return NULL;
    Row *rows;
    uint32_t count = rows_in(bytes_of(args[0]), PyBytes_GET_SIZE(args[0]), &rows);
    if (!rows) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError))
            return NULL;
        PyErr_Clear();
        Py_RETURN_FALSE;
    }
    uint8_t found[DIGEST];
    int good = 0 < count && count <= BUCKET;
    if (good) {
        digest(0x11, rows[0].pair, (size_t)count * PAIR, found);
        good = memcmp(found, bytes_of(args[1]), DIGEST) == 0;
    }
    for (uint32_t i = 0; good && i < count; i++) {
        digest(0x10, rows[i].value, rows[i].size, found);
        good = memcmp(found, rows[i].pair + DIGEST, DIGEST) == 0;
    }
    PyMem_Free(rows);
    return PyBool_FromLong(good);
}

static PyObject *bucket_find(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("bucket_find", given, 2) || !is_bytes(args[0], -1) || !is_bytes(args[1], DIGEST))
        return NULL;
    const uint8_t *blob = bytes_of(args[0]), *path = bytes_of(args[1]);
    size_t size = (size_t)PyBytes_GET_SIZE(args[0]), at = 0;
    if (size == 0)
        Py_RETURN_NONE;
    uint32_t count = size >= 4 ? load32(blob) : 0, here = 0;
    if (count == 0 || (size - 4) / (PAIR + 4) < count)
        return PyErr_Format(PyExc_ValueError, "not a bucket");
    const uint8_t *length = blob + 4 + (size_t)count * PAIR, *value = length + (size_t)count * 4, *found = NULL;
    size_t left = size - 4 - (size_t)count * (PAIR + 4);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t more = load32(length + 4 * (size_t)i);
        if (more > left - at)
            return PyErr_Format(PyExc_ValueError, "not a bucket");
        if (!found && memcmp(blob + 4 + (size_t)i * PAIR, path, DIGEST) == 0)
            found = value + at, here = more;
        at += more;
    }
    if (at != left)
        return PyErr_Format(PyExc_ValueError, "not a bucket");
    if (!found)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize((const char *)found, here);
}

/* Rows `start` to `start + more` of a list, into a bucket: (bucket, hash, former values). */
static PyObject *put_into(PyObject *before, PyObject *changes, Py_ssize_t start, Py_ssize_t more)
{
    Row *old, *merged = NULL;
    uint8_t *pairs = NULL;
    PyObject *formers = NULL, *bucket = NULL, *hash = NULL, *result = NULL;
    uint32_t count = rows_in(bytes_of(before), PyBytes_GET_SIZE(before), &old);
    if (!old)
        return NULL;
    merged = PyMem_Malloc(((size_t)count + (size_t)more + 1) * sizeof(Row));
    pairs = PyMem_Malloc((size_t)more * PAIR + 1);
    formers = PyList_New(more);
    if (!merged || !pairs || !formers) {
        PyErr_NoMemory();
        goto done;
    }
    size_t filled = 0, at = 0;
    for (Py_ssize_t i = 0; i < more; i++) {
        PyObject *change = PyList_GET_ITEM(changes, start + i);
        if (!PyTuple_CheckExact(change) || PyTuple_GET_SIZE(change) != 2) {
            PyErr_SetString(PyExc_TypeError, "a change is (path, value)");
            goto done;
        }
        PyObject *path = PyTuple_GET_ITEM(change, 0), *value = PyTuple_GET_ITEM(change, 1);
        if (!is_bytes(path, DIGEST) || !is_bytes(value, -1))
            goto done;
        uint8_t *pair = pairs + (size_t)i * PAIR;
        memcpy(pair, bytes_of(path), DIGEST);
        if (PyBytes_GET_SIZE(value) > UINT32_MAX || (i && memcmp(pair - PAIR, pair, DIGEST) >= 0)) {
            PyErr_SetString(PyExc_ValueError, "changes out of order");
            goto done;
        }
        digest(0x10, bytes_of(value), PyBytes_GET_SIZE(value), pair + DIGEST);
        while (at < count && memcmp(old[at].pair, pair, DIGEST) < 0)
            merged[filled++] = old[at++];
        PyObject *former = Py_None;
        if (at < count && memcmp(old[at].pair, pair, DIGEST) == 0) {
            former = PyBytes_FromStringAndSize((const char *)old[at].value, old[at].size);
            at++;
        } else
            Py_INCREF(former);
        if (!former)
            goto done;
        PyList_SET_ITEM(formers, i, former);
        merged[filled++] = (Row){pair, bytes_of(value), (uint32_t)PyBytes_GET_SIZE(value)};
    }
    while (at < count)
        merged[filled++] = old[at++];
    if (filled == 0) {
        PyErr_SetString(PyExc_ValueError, "not a bucket");
        goto done;
    }
    bucket = bucket_of(merged, filled);
    if (!bucket)
        goto done;
    if (filled <= BUCKET)
        hash = bucket_hash(bucket);
    else
        hash = Py_None, Py_INCREF(hash);
    if (hash)
        result = PyTuple_Pack(3, bucket, hash, formers);
done:
    PyMem_Free(old);
    PyMem_Free(merged);
    PyMem_Free(pairs);
    Py_XDECREF(formers);
    Py_XDECREF(bucket);
    Py_XDECREF(hash);
    return result;
}

static PyObject *bucket_put(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("bucket_put", given, 2) || !is_bytes(args[0], -1))
        return NULL;
    if (!PyList_CheckExact(args[1]))
        return PyErr_Format(PyExc_TypeError, "the changes are no list");
    return put_into(args[0], args[1], 0, PyList_GET_SIZE(args[1]));
}

static int nibble(const uint8_t *path, int depth)
{
    return depth & 1 ? path[depth >> 1] & 15 : path[depth >> 1] >> 4;
}

static PyObject *bucket_split(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("bucket_split", given, 2) || !is_bytes(args[0], -1))
        return NULL;
    long depth = PyLong_AsLong(args[1]);
    if (depth < 0 || depth >= 2 * DIGEST) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "deeper than a path");
        return NULL;
    }
    Row *rows;
    uint32_t count = rows_in(bytes_of(args[0]), PyBytes_GET_SIZE(args[0]), &rows);
    if (!rows)
        return NULL;
    PyObject *made = PyList_New(CHILDREN);
    size_t start = 0;
    for (int slot = 0; made && slot < CHILDREN; slot++) {
        size_t end = start;
        while (end < count && nibble(rows[end].pair, (int)depth) == slot)
            end++;
        PyObject *part = end > start ? bucket_of(rows + start, end - start) : PyBytes_FromStringAndSize(NULL, 0);
        if (part)
            PyList_SET_ITEM(made, slot, part);
        else
            Py_CLEAR(made);
        start = end;
    }
    PyMem_Free(rows);
    if (made && start != count) {
        Py_DECREF(made);
        return PyErr_Format(PyExc_ValueError, "rows out of order");
    }
    return made;
}

static PyObject *node_of(PyObject *self, PyObject *body)
{
    if (!is_bytes(body, NODE_BODY))
        return NULL;
    uint8_t groups[GROUP];
    for (int i = 0; i < 4; i++)
        digest(0x12, bytes_of(body) + 2 + i * GROUP, GROUP, groups + i * DIGEST);
    return Py_BuildValue("(Oy#)", body, groups, (Py_ssize_t)GROUP);
}

static int is_node(PyObject *node)
{
    if (PyTuple_CheckExact(node) && PyTuple_GET_SIZE(node) == 2)
        return is_bytes(PyTuple_GET_ITEM(node, 0), NODE_BODY) && is_bytes(PyTuple_GET_ITEM(node, 1), GROUP);
    PyErr_SetString(PyExc_TypeError, "not a node");
    return 0;
}

/* A node with other children: ((body, groups), hash, what leads back). */
static PyObject *put_children(PyObject *node, PyObject *changes)
{
    if (!is_node(node))
        return NULL;
    if (!PyList_CheckExact(changes))
        return PyErr_Format(PyExc_TypeError, "the changes are no list");
    const uint8_t *before = bytes_of(PyTuple_GET_ITEM(node, 0));
    uint8_t body[NODE_BODY], groups[GROUP], undo[4 + CHILDREN * DIGEST], hash[DIGEST];
    memcpy(body, before, NODE_BODY);
    memcpy(groups, bytes_of(PyTuple_GET_ITEM(node, 1)), GROUP);
    unsigned inner = body[0] << 8 | body[1], touched = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(changes); i++) {
        PyObject *change = PyList_GET_ITEM(changes, i);
        if (!PyTuple_CheckExact(change) || PyTuple_GET_SIZE(change) != 3)
            return PyErr_Format(PyExc_TypeError, "a change is (slot, hash, inner)");
        long slot = PyLong_AsLong(PyTuple_GET_ITEM(change, 0));
        if (slot < 0 || slot >= CHILDREN || !is_bytes(PyTuple_GET_ITEM(change, 1), DIGEST)) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "no such slot");
            return NULL;
        }
        memcpy(body + 2 + slot * DIGEST, bytes_of(PyTuple_GET_ITEM(change, 1)), DIGEST);
        if (PyTuple_GET_ITEM(change, 2) == Py_True)
            inner |= 1u << slot;
        touched |= 1u << slot;
    }
    uint8_t *former = undo + 4;
    for (int slot = 0; slot < CHILDREN; slot++) {
        if (!(touched >> slot & 1))
            continue;
        memcpy(former, before + 2 + slot * DIGEST, DIGEST);
        former += DIGEST;
    }
    for (int i = 0; i < 4; i++)
        if (touched >> 4 * i & 15)
            digest(0x12, body + 2 + i * GROUP, GROUP, groups + i * DIGEST);
    memcpy(undo, before, 2);
    undo[2] = (uint8_t)(touched >> 8), undo[3] = (uint8_t)touched;
    body[0] = (uint8_t)(inner >> 8), body[1] = (uint8_t)inner;
    digest(0x13, groups, GROUP, hash);
    return Py_BuildValue("((y#y#)y#y#)", body, (Py_ssize_t)NODE_BODY, groups, (Py_ssize_t)GROUP, hash,
                         (Py_ssize_t)DIGEST, undo, (Py_ssize_t)(former - undo));
}

static PyObject *node_put(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    return counted("node_put", given, 2) ? put_children(args[0], args[1]) : NULL;
}

/* Where the first `depth` nibbles of a path have their node or bucket. */
static PyObject *place_object(const uint8_t *path, int depth)
{
    if (depth < 16) {
        uint64_t head = 0;
        for (int i = 0; i < 8; i++)
            head = head << 8 | path[i];
        return PyLong_FromUnsignedLongLong((depth ? head >> (64 - 4 * depth) << (64 - 4 * depth) : 0) | (uint64_t)depth);
    }
    uint8_t deep[DIGEST + 1];
    int size = (depth + 1) / 2;
    memcpy(deep, path, (size_t)size);
    if (depth & 1)
        deep[size - 1] &= 0xF0;
    deep[size] = (uint8_t)depth;
    return PyBytes_FromStringAndSize((const char *)deep, size + 1);
}

static PyObject *place_of(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("place_of", given, 2) || !is_bytes(args[0], DIGEST))
        return NULL;
    long depth = PyLong_AsLong(args[1]);
    if (depth < 0 || depth > 2 * DIGEST) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "deeper than a path");
        return NULL;
    }
    return place_object(bytes_of(args[0]), (int)depth);
}

#define ERROR (-1000)

/* The depth of a path's bucket, whose parent's child there is `*expected`; or -1 - that of the node missing. */
static int depth_of(PyObject *nodes, const uint8_t *path, const uint8_t **expected)
{
    for (int depth = 0; depth < 2 * DIGEST; depth++) {
        PyObject *place = place_object(path, depth);
        if (!place)
            return ERROR;
        PyObject *node = PyDict_GetItemWithError(nodes, place);
        Py_DECREF(place);
        if (!node)
            return PyErr_Occurred() ? ERROR : -1 - depth;
        if (!is_node(node))
            return ERROR;
        const uint8_t *body = bytes_of(PyTuple_GET_ITEM(node, 0));
        int slot = nibble(path, depth);
        if (!((body[0] << 8 | body[1]) >> slot & 1)) {
            *expected = body + 2 + slot * DIGEST;
            return depth + 1;
        }
    }
    PyErr_SetString(PyExc_ValueError, "deeper than a path");
    return ERROR;
}

static PyObject *locate(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("locate", given, 2) || !is_bytes(args[1], DIGEST))
        return NULL;
    if (!PyDict_CheckExact(args[0]))
        return PyErr_Format(PyExc_TypeError, "the nodes are no dict");
    const uint8_t *expected;
    int depth = depth_of(args[0], bytes_of(args[1]), &expected);
    return depth == ERROR ? NULL : PyLong_FromLong(depth);
}

static PyObject *EMPTY_BUCKET; /* no bytes at all */

/* The bucket of a path, borrowed, at `*depth`; NULL without an error: it, or the way there, is not in memory. */
static PyObject *bucket_at(PyObject *nodes, PyObject *buckets, const uint8_t *path, int *depth)
{
    static const uint8_t empty[DIGEST];
    const uint8_t *expected = NULL;
    *depth = depth_of(nodes, path, &expected);
    if (*depth == -1)
        *depth = 0;
    if (*depth < 0)
        return NULL;
    PyObject *place = place_object(path, *depth);
    PyObject *bucket = place ? PyDict_GetItemWithError(buckets, place) : NULL;
    Py_XDECREF(place);
    if (bucket)
        return is_bytes(bucket, -1) ? bucket : NULL;
    if (PyErr_Occurred() || !expected || memcmp(expected, empty, DIGEST) != 0)
        return NULL;
    return EMPTY_BUCKET;
}

static int are_dicts(PyObject *one, PyObject *other)
{
    if (PyDict_CheckExact(one) && PyDict_CheckExact(other))
        return 1;
    PyErr_SetString(PyExc_TypeError, "not dicts");
    return 0;
}

static PyObject *find(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("find", given, 3) || !are_dicts(args[0], args[1]) || !is_bytes(args[2], DIGEST))
        return NULL;
    int depth;
    PyObject *bucket = bucket_at(args[0], args[1], bytes_of(args[2]), &depth);
    if (bucket)
        return bucket_find(self, (PyObject *const[]){bucket, args[2]}, 2);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_FALSE;
}

/* The path and the value of a row, borrowed. */
static int row_of(PyObject *rows, Py_ssize_t at, PyObject **path)
{
    PyObject *row = PyList_GET_ITEM(rows, at);
    if (!PyTuple_CheckExact(row) || PyTuple_GET_SIZE(row) != 2) {
        PyErr_SetString(PyExc_TypeError, "a row is (path, value)");
        return 0;
    }
    *path = PyTuple_GET_ITEM(row, 0);
    return is_bytes(*path, DIGEST);
}

static PyObject *absent(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("absent", given, 3) || !are_dicts(args[0], args[1]))
        return NULL;
    if (!PyList_CheckExact(args[2]))
        return PyErr_Format(PyExc_TypeError, "the rows are no list");
    PyObject *made = PyList_New(0), *path;
    for (Py_ssize_t i = 0; made && i < PyList_GET_SIZE(args[2]); i++) {
        int depth;
        if (!row_of(args[2], i, &path) || (!bucket_at(args[0], args[1], bytes_of(path), &depth) &&
                                           (PyErr_Occurred() || PyList_Append(made, path))))
            Py_CLEAR(made);
    }
    return made;
}

/* `levels[depth - 1][place above][1].append((slot, hash, is_node))`, with what is missing on the way. */
static int tell_above(PyObject *levels, PyObject *path, int depth, PyObject *hash, PyObject *is_node)
{
    while (PyList_GET_SIZE(levels) < depth) {
        PyObject *level = PyDict_New();
        int failed = !level || PyList_Append(levels, level);
        Py_XDECREF(level);
        if (failed)
            return 0;
    }
    PyObject *level = PyList_GET_ITEM(levels, depth - 1);
    PyObject *place = place_object(bytes_of(path), depth - 1);
    PyObject *known = place ? PyDict_GetItemWithError(level, place) : NULL;
    if (place && !known && !PyErr_Occurred()) {
        PyObject *made = Py_BuildValue("(O[])", path);
        if (made && !PyDict_SetItem(level, place, made))
            known = made;
        Py_XDECREF(made);
    }
    Py_XDECREF(place);
    if (!known)
        return 0;
    PyObject *child = Py_BuildValue("(iOO)", nibble(bytes_of(path), depth - 1), hash, is_node);
    int done = child && !PyList_Append(PyTuple_GET_ITEM(known, 1), child);
    Py_XDECREF(child);
    return done;
}

/* `undo[part][which].append([one, other])`, or [one] where other is None. */
static int tell_undo(PyObject *undo, long part, int which, PyObject *one, PyObject *other)
{
    PyObject *key = PyLong_FromLong(part);
    PyObject *both = key ? PyDict_GetItemWithError(undo, key) : NULL;
    if (key && !both && !PyErr_Occurred()) {
        PyObject *made = Py_BuildValue("([][])");
        if (made && !PyDict_SetItem(undo, key, made))
            both = made;
        Py_XDECREF(made);
    }
    Py_XDECREF(key);
    if (!both)
        return 0;
    PyObject *row = other == Py_None ? Py_BuildValue("[O]", one) : Py_BuildValue("[OO]", one, other);
    int done = row && !PyList_Append(PyTuple_GET_ITEM(both, which), row);
    Py_XDECREF(row);
    return done;
}

static PyObject *put_rows(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("put_rows", given, 3) || !are_dicts(args[0], args[1]))
        return NULL;
    PyObject *rows = args[2], *path;
    if (!PyList_CheckExact(rows))
        return PyErr_Format(PyExc_TypeError, "the rows are no list");
    PyObject *made = PyDict_New(), *overfull = PyList_New(0), *levels = PyList_New(0), *undo = PyDict_New();
    PyObject *top = Py_NewRef(Py_None), *result = NULL;
    if (!made || !overfull || !levels || !undo)
        goto done;
    for (Py_ssize_t start = 0, end; start < PyList_GET_SIZE(rows); start = end) {
        if (!row_of(rows, start, &path))
            goto done;
        int depth;
        PyObject *bucket = bucket_at(args[0], args[1], bytes_of(path), &depth);
        if (!bucket) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_KeyError, "not in memory");
            goto done;
        }
        for (end = start + 1; end < PyList_GET_SIZE(rows); end++) {
            PyObject *next;
            if (!row_of(rows, end, &next))
                goto done;
            const uint8_t *one = bytes_of(path), *other = bytes_of(next);
            if (memcmp(one, other, (size_t)depth / 2) || (depth & 1 && nibble(one, depth - 1) != nibble(other, depth - 1)))
                break;
        }
        PyObject *put = put_into(bucket, rows, start, end - start);
        if (!put)
            goto done;
        PyObject *after = PyTuple_GET_ITEM(put, 0), *hash = PyTuple_GET_ITEM(put, 1), *former = PyTuple_GET_ITEM(put, 2);
        int good = 1;
        for (Py_ssize_t i = start; good && i < end; i++) {
            PyObject *at = PyTuple_GET_ITEM(PyList_GET_ITEM(rows, i), 0);
            good = tell_undo(undo, bytes_of(at)[0], 0, at, PyList_GET_ITEM(former, i - start));
        }
        if (good && hash == Py_None) {
            PyObject *row = Py_BuildValue("(OiO)", path, depth, after);
            good = row && !PyList_Append(overfull, row);
            Py_XDECREF(row);
        } else if (good) {
            PyObject *place = place_object(bytes_of(path), depth);
            good = place && !PyDict_SetItem(made, place, after);
            Py_XDECREF(place);
            if (good && depth)
                good = tell_above(levels, path, depth, hash, Py_False);
            else if (good)
                Py_SETREF(top, Py_NewRef(hash));
        }
        Py_DECREF(put);
        if (!good)
            goto done;
    }
    result = PyTuple_Pack(5, made, overfull, levels, undo, top);
done:
    Py_XDECREF(made);
    Py_XDECREF(overfull);
    Py_XDECREF(levels);
    Py_XDECREF(undo);
    Py_DECREF(top);
    return result;
}

static PyObject *put_nodes(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("put_nodes", given, 3) || !PyDict_CheckExact(args[0]) || !PyList_CheckExact(args[1]) ||
        !PyDict_CheckExact(args[2])) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "put_nodes(dict, list, dict)");
        return NULL;
    }
    PyObject *levels = args[1], *made = PyDict_New(), *top = Py_NewRef(Py_None), *result = NULL;
    if (!made)
        goto done;
    for (Py_ssize_t depth = PyList_GET_SIZE(levels) - 1; depth >= 0; depth--) {
        PyObject *level = PyList_GET_ITEM(levels, depth), *place, *told;
        Py_ssize_t at = 0;
        while (PyDict_Next(level, &at, &place, &told)) {
            PyObject *node = PyDict_GetItemWithError(args[0], place);
            if (!node || !PyTuple_CheckExact(told) || PyTuple_GET_SIZE(told) != 2 ||
                !is_bytes(PyTuple_GET_ITEM(told, 0), DIGEST)) {
                if (!PyErr_Occurred())
                    PyErr_SetString(PyExc_KeyError, "not in memory");
                goto done;
            }
            PyObject *path = PyTuple_GET_ITEM(told, 0);
            PyObject *put = put_children(node, PyTuple_GET_ITEM(told, 1));
            if (!put)
                goto done;
            PyObject *hash = PyTuple_GET_ITEM(put, 1);
            long part = depth < 2 ? 256 : bytes_of(path)[0];
            int good = !PyDict_SetItem(made, place, PyTuple_GET_ITEM(put, 0)) &&
                       tell_undo(args[2], part, 1, place, PyTuple_GET_ITEM(put, 2));
            if (good && depth)
                good = tell_above(levels, path, (int)depth, hash, Py_True);
            else if (good)
                Py_SETREF(top, Py_NewRef(hash));
            Py_DECREF(put);
            if (!good)
                goto done;
        }
    }
    result = PyTuple_Pack(2, made, top);
done:
    Py_XDECREF(made);
    Py_DECREF(top);
    return result;
}

static PyMethodDef METHODS[] = {
    {"sha256", sha256, METH_O, NULL},
    {"hashes", (PyCFunction)(void (*)(void))hashes, METH_FASTCALL, NULL},
    {"grow", (PyCFunction)(void (*)(void))grow, METH_FASTCALL, NULL},
    {"bundle", bundle, METH_O, NULL},
    {"unbundle", unbundle, METH_O, NULL},
    {"decode", decode, METH_O, NULL},
    {"encode", encode, METH_O, NULL},
    {"fits", (PyCFunction)(void (*)(void))fits, METH_FASTCALL, NULL},
    {"records", (PyCFunction)(void (*)(void))records, METH_FASTCALL, NULL},
    {"place_of", (PyCFunction)(void (*)(void))place_of, METH_FASTCALL, NULL},
    {"find", (PyCFunction)(void (*)(void))find, METH_FASTCALL, NULL},
    {"absent", (PyCFunction)(void (*)(void))absent, METH_FASTCALL, NULL},
    {"put_rows", (PyCFunction)(void (*)(void))put_rows, METH_FASTCALL, NULL},
    {"put_nodes", (PyCFunction)(void (*)(void))put_nodes, METH_FASTCALL, NULL},
    {"locate", (PyCFunction)(void (*)(void))locate, METH_FASTCALL, NULL},
    {"bucket_holds", (PyCFunction)(void (*)(void))bucket_holds, METH_FASTCALL, NULL},
    {"bucket_find", (PyCFunction)(void (*)(void))bucket_find, METH_FASTCALL, NULL},
    {"bucket_put", (PyCFunction)(void (*)(void))bucket_put, METH_FASTCALL, NULL},
    {"bucket_split", (PyCFunction)(void (*)(void))bucket_split, METH_FASTCALL, NULL},
    {"node_of", node_of, METH_O, NULL},
    {"node_put", (PyCFunction)(void (*)(void))node_put, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_native", NULL, -1, METHODS, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__native(void)
{
    choose_blocks();
    EMPTY_BUCKET = PyBytes_FromStringAndSize(NULL, 0);
    if (!EMPTY_BUCKET)
        return NULL;
    return PyModule_Create(&MODULE);
}
