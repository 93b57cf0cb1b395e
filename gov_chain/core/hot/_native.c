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

static PyObject *fits(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    if (!counted("fits", given, 2))
        return NULL;
    int found = fits_shape(args[0], args[1]);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

static PyMethodDef METHODS[] = {
    {"hashes", (PyCFunction)(void (*)(void))hashes, METH_FASTCALL, NULL},
    {"grow", (PyCFunction)(void (*)(void))grow, METH_FASTCALL, NULL},
    {"decode", decode, METH_O, NULL},
    {"encode", encode, METH_O, NULL},
    {"fits", (PyCFunction)(void (*)(void))fits, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_native", NULL, -1, METHODS, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__native(void)
{
    choose_blocks();
    return PyModule_Create(&MODULE);
}
