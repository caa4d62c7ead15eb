/* What training on a CPU spends its time on, for bfloat16: group norm and attention, forwards and backwards. Everything between
 * input and output is f32. Worked on a picture or a head at a time, which then stays in the second-level cache. */
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t bf16;
typedef float lanes __attribute__((vector_size(64)));
typedef int32_t whole __attribute__((vector_size(64)));
enum {
    CHANNELS = 512, /* most channels of a norm */
    LANES = 16,
    PARTS = 256 / LANES, /* most keys, in lanes */
    WIDE = 2,            /* most lanes of a head */
    QUERIES = 4,         /* worked on together */
};
#define inlined static inline __attribute__((always_inline))

inlined float widen(bf16 v) {
    uint32_t bits = (uint32_t)v << 16;
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

inlined bf16 narrow(float f) {
    uint32_t bits;
    memcpy(&bits, &f, 4);
    return (bf16)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/* Group norm with channels last. x, y, dy, dx: [n, hw, c]; mean, rstd: [n, groups]; dgamma, dbeta: [n, c], for the caller to add
 * up. Sums of groups are f64. */
void norm_forward(const bf16 *x, const float *gamma, const float *beta, bf16 *y, float *mean, float *rstd, int n, int hw, int c,
                  int groups, float eps) {
    int per = c / groups;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; i++) {
        const bf16 *restrict from = x + (long)i * hw * c;
        bf16 *restrict to = y + (long)i * hw * c;
        float sum[CHANNELS] = {0}, squares[CHANNELS] = {0}, scale[CHANNELS], shift[CHANNELS];
        for (int p = 0; p < hw; p++)
            for (int k = 0; k < c; k++) {
                float v = widen(from[(long)p * c + k]);
                sum[k] += v;
                squares[k] += v * v;
            }
        for (int g = 0; g < groups; g++) {
            double s = 0, q = 0, count = (double)hw * per;
            for (int k = g * per; k < (g + 1) * per; k++) s += sum[k], q += squares[k];
            double m = s / count, variance = fmax(q / count - m * m, 0);
            float r = 1.0f / sqrtf((float)variance + eps);
            mean[i * groups + g] = (float)m;
            rstd[i * groups + g] = r;
            for (int k = g * per; k < (g + 1) * per; k++) scale[k] = r * gamma[k], shift[k] = beta[k] - (float)m * scale[k];
        }
        for (int p = 0; p < hw; p++)
            for (int k = 0; k < c; k++) to[(long)p * c + k] = narrow(widen(from[(long)p * c + k]) * scale[k] + shift[k]);
    }
}

/* dx = r·(γ·dy − mean(γ·dy) − x̂·mean(γ·dy·x̂)), x̂ = (x − mean)·r, means over a group. */
void norm_backward(const bf16 *dy, const bf16 *x, const float *gamma, const float *mean, const float *rstd, bf16 *dx, float *dgamma,
                   float *dbeta, int n, int hw, int c, int groups) {
    int per = c / groups;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; i++) {
        const bf16 *restrict from = x + (long)i * hw * c;
        const bf16 *restrict slope = dy + (long)i * hw * c;
        bf16 *restrict to = dx + (long)i * hw * c;
        float sum[CHANNELS] = {0}, along[CHANNELS] = {0}, of_slope[CHANNELS], of_x[CHANNELS], constant[CHANNELS];
        for (int p = 0; p < hw; p++)
            for (int k = 0; k < c; k++) {
                float v = widen(slope[(long)p * c + k]);
                sum[k] += v;
                along[k] += v * widen(from[(long)p * c + k]);
            }
        for (int g = 0; g < groups; g++) {
            float m = mean[i * groups + g], r = rstd[i * groups + g];
            double plain = 0, bent = 0, count = (double)hw * per;
            for (int k = g * per; k < (g + 1) * per; k++) {
                dgamma[i * c + k] = (along[k] - m * sum[k]) * r;
                dbeta[i * c + k] = sum[k];
                plain += sum[k] * gamma[k];
                bent += dgamma[i * c + k] * gamma[k];
            }
            float t = (float)(plain / count), u = (float)(bent / count);
            for (int k = g * per; k < (g + 1) * per; k++) of_slope[k] = r * gamma[k], of_x[k] = -r * r * u, constant[k] = r * (r * u * m - t);
        }
        for (int p = 0; p < hw; p++)
            for (int k = 0; k < c; k++) {
                long at = (long)p * c + k;
                to[at] = narrow(widen(slope[at]) * of_slope[k] + widen(from[at]) * of_x[k] + constant[k]);
            }
    }
}

/* ---- attention: softmax(q·kᵀ·scale)·v for q, o: [b, n, heads·d], k, v: [b, m, heads·d]; n divisible by QUERIES, m <= 256,
 * d <= 32. Weights are never stored: going back computes them again from lse [b, heads, n], the base-2 logarithm of their sums. */

inlined lanes larger(lanes a, lanes b) {
    whole chosen = a > b;
    return (lanes)(((whole)a & chosen) | ((whole)b & ~chosen));
}

/* 2^x for x <= 0, to 2e-7. */
inlined lanes power(lanes x) {
    const float to_whole = 12582912.0f; /* 1.5·2^23: what is added to it is rounded */
    x = larger(x, (lanes){} - 126.0f);
    lanes shifted = x + to_whole, f = x - (shifted - to_whole);
    whole n = (whole)shifted - 0x4B400000;
    lanes p = f * 1.3333558e-3f + 9.6181291e-3f;
    p = p * f + 5.5504109e-2f;
    p = p * f + 2.4022651e-1f;
    p = p * f + 6.9314718e-1f;
    p = p * f + 1.0f;
    return (lanes)((whole)p + (n << 23));
}

inlined float total(lanes v) {
    float sum = 0;
    for (int i = 0; i < LANES; i++) sum += v[i];
    return sum;
}

inlined float largest(lanes v) {
    float found = v[0];
    for (int i = 1; i < LANES; i++) found = v[i] > found ? v[i] : found;
    return found;
}

/* One head's rows, widened and scaled: to[count][wide], 0 past d. */
inlined void rows(lanes *to, const bf16 *from, int count, int stride, int d, int wide, float scale) {
    for (int j = 0; j < count; j++) {
        float row[WIDE * LANES] = {0};
        for (int k = 0; k < d; k++) row[k] = widen(from[(long)j * stride + k]) * scale;
        memcpy(to + j * wide, row, wide * sizeof(lanes));
    }
}

/* The same on their sides: to[d][parts], 0 past m. */
inlined void columns(lanes *to, const lanes *from, int m, int parts, int d, int wide) {
    const float *f = (const float *)from;
    float *t = (float *)to;
    for (int k = 0; k < d; k++) {
        for (int j = 0; j < m; j++) t[k * parts * LANES + j] = f[j * wide * LANES + k];
        for (int j = m; j < parts * LANES; j++) t[k * parts * LANES + j] = 0;
    }
}

/* out[QUERIES][parts]: products of rows with all columns. */
inlined void products(lanes *out, const lanes *row, const lanes *column, int parts, int d, int wide) {
    const float *f = (const float *)row;
    for (int j = 0; j < parts; j++) {
        lanes sum[QUERIES] = {};
        for (int k = 0; k < d; k++)
            for (int r = 0; r < QUERIES; r++) sum[r] += f[r * wide * LANES + k] * column[k * parts + j];
        for (int r = 0; r < QUERIES; r++) out[r * parts + j] = sum[r];
    }
}

inlined void head_forward(const bf16 *q, const bf16 *k, const bf16 *v, bf16 *o, float *lse, int n, int m, int stride, int d, const int wide,
                          float scale) {
    lanes keys[PARTS * LANES * wide], values[PARTS * LANES * wide], turned[WIDE * LANES * PARTS], weights[QUERIES * PARTS];
    int parts = (m + LANES - 1) / LANES;
    rows(keys, k, m, stride, d, wide, 1);
    rows(values, v, m, stride, d, wide, 1);
    columns(turned, keys, m, parts, d, wide);
    const float *weight = (const float *)weights;
    for (int i = 0; i < n; i += QUERIES) {
        lanes queries[QUERIES * wide], out[QUERIES * wide];
        float sums[QUERIES];
        rows(queries, q + (long)i * stride, QUERIES, stride, d, wide, scale * 1.44269504f);
        products(weights, queries, turned, parts, d, wide);
        for (int r = 0; r < QUERIES; r++) {
            lanes *w = weights + r * parts, most = w[0], sum = {};
            for (int j = m; j < parts * LANES; j++) ((float *)w)[j] = -1e30f;
            for (int j = 0; j < parts; j++) most = larger(w[j], most);
            float shift = largest(most);
            for (int j = 0; j < parts; j++) w[j] = power(w[j] - shift);
            for (int j = m; j < parts * LANES; j++) ((float *)w)[j] = 0;
            for (int j = 0; j < parts; j++) sum += w[j];
            sums[r] = total(sum);
            lse[i + r] = shift + log2f(sums[r]);
        }
        memset(out, 0, sizeof out);
        for (int j = 0; j < m; j++)
            for (int r = 0; r < QUERIES; r++)
                for (int w = 0; w < wide; w++) out[r * wide + w] += weight[r * parts * LANES + j] * values[j * wide + w];
        for (int r = 0; r < QUERIES; r++)
            for (int x = 0; x < d; x++) o[(long)(i + r) * stride + x] = narrow(((float *)(out + r * wide))[x] / sums[r]);
    }
}

inlined void head_backward(const bf16 *slope, const bf16 *q, const bf16 *k, const bf16 *v, const bf16 *o, const float *lse, bf16 *dq, bf16 *dk,
                           bf16 *dv, int n, int m, int stride, int d, const int wide, float scale) {
    lanes keys[PARTS * LANES * wide], values[PARTS * LANES * wide], of_keys[PARTS * LANES * wide], of_values[PARTS * LANES * wide];
    lanes turned_keys[WIDE * LANES * PARTS], turned_values[WIDE * LANES * PARTS], weights[QUERIES * PARTS], of_scores[QUERIES * PARTS];
    int parts = (m + LANES - 1) / LANES;
    rows(keys, k, m, stride, d, wide, 1);
    rows(values, v, m, stride, d, wide, 1);
    columns(turned_keys, keys, m, parts, d, wide);
    columns(turned_values, values, m, parts, d, wide);
    for (int j = 0; j < m * wide; j++) of_keys[j] = of_values[j] = (lanes){};
    const float *weight = (const float *)weights, *of_score = (const float *)of_scores;
    for (int i = 0; i < n; i += QUERIES) {
        lanes queries[QUERIES * wide], slopes[QUERIES * wide], out[QUERIES * wide];
        rows(queries, q + (long)i * stride, QUERIES, stride, d, wide, scale * 1.44269504f);
        rows(slopes, slope + (long)i * stride, QUERIES, stride, d, wide, 1);
        rows(out, o + (long)i * stride, QUERIES, stride, d, wide, 1);
        products(weights, queries, turned_keys, parts, d, wide);
        products(of_scores, slopes, turned_values, parts, d, wide);
        for (int r = 0; r < QUERIES; r++) {
            lanes both = {};
            for (int w = 0; w < wide; w++) both += slopes[r * wide + w] * out[r * wide + w];
            float mean = total(both);
            for (int j = r * parts; j < (r + 1) * parts; j++) {
                weights[j] = power(weights[j] - lse[i + r]);
                of_scores[j] = weights[j] * (of_scores[j] - mean);
            }
        }
        memset(out, 0, sizeof out);
        for (int j = 0; j < m; j++)
            for (int w = 0; w < wide; w++) {
                lanes of_value = of_values[j * wide + w], of_key = of_keys[j * wide + w], key = keys[j * wide + w];
                for (int r = 0; r < QUERIES; r++) {
                    of_value += weight[r * parts * LANES + j] * slopes[r * wide + w];
                    of_key += of_score[r * parts * LANES + j] * queries[r * wide + w];
                    out[r * wide + w] += of_score[r * parts * LANES + j] * key;
                }
                of_values[j * wide + w] = of_value;
                of_keys[j * wide + w] = of_key;
            }
        for (int r = 0; r < QUERIES; r++)
            for (int x = 0; x < d; x++) dq[(long)(i + r) * stride + x] = narrow(((float *)(out + r * wide))[x] * scale);
    }
    for (int j = 0; j < m; j++)
        for (int x = 0; x < d; x++) {
            dk[(long)j * stride + x] = narrow(((float *)(of_keys + j * wide))[x] * 0.69314718f); /* queries held log2(e) */
            dv[(long)j * stride + x] = narrow(((float *)(of_values + j * wide))[x]);
        }
}

void attention_forward(const bf16 *q, const bf16 *k, const bf16 *v, bf16 *o, float *lse, int b, int heads, int n, int m, int d, float scale) {
    int stride = heads * d;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < b * heads; i++) {
        long at = (long)(i / heads) * n * stride + i % heads * d, other = (long)(i / heads) * m * stride + i % heads * d;
        float *sums = lse + (long)i * n;
        if (d <= LANES)
            head_forward(q + at, k + other, v + other, o + at, sums, n, m, stride, d, 1, scale);
        else
            head_forward(q + at, k + other, v + other, o + at, sums, n, m, stride, d, 2, scale);
    }
}

void attention_backward(const bf16 *slope, const bf16 *q, const bf16 *k, const bf16 *v, const bf16 *o, const float *lse, bf16 *dq, bf16 *dk,
                        bf16 *dv, int b, int heads, int n, int m, int d, float scale) {
    int stride = heads * d;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < b * heads; i++) {
        long at = (long)(i / heads) * n * stride + i % heads * d, other = (long)(i / heads) * m * stride + i % heads * d;
        const float *sums = lse + (long)i * n;
        if (d <= LANES)
            head_backward(slope + at, q + at, k + other, v + other, o + at, sums, dq + at, dk + other, dv + other, n, m, stride, d, 1, scale);
        else
            head_backward(slope + at, q + at, k + other, v + other, o + at, sums, dq + at, dk + other, dv + other, n, m, stride, d, 2, scale);
    }
}
