/* SPDX-License-Identifier: Apache-2.0 */
/* One row of the table at a time. Origin: R. Wagner, M. Fischer, "The string-to-string correction problem", 1974. */
#include "base/nearest.h"

size_t nearest_distance(struct bytes a, struct bytes b)
{
    size_t row[NEAREST_BYTES_MAX + 1];

    if (a.n > NEAREST_BYTES_MAX || b.n > NEAREST_BYTES_MAX) {
        return NEAREST_BYTES_MAX;
    }
    for (size_t j = 0; j <= b.n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t change = diagonal + (a.p[i - 1] != b.p[j - 1]);
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

            diagonal = row[j];
            row[j] = best < change ? best : change;
        }
    }
    return row[b.n];
}
