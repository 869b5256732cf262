/* What the program wants of the board: text out, an end, and how deep the stack has been. */
#ifndef JIAOZI_BOARD_H
#define JIAOZI_BOARD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void board_write(const char* text);
void board_exit(int failed);
/* Paints the stack below the caller; deepest says how many bytes of it were used since, 0 where nothing is painted. */
void board_paint_stack(void);
uint32_t board_deepest_stack(void);

#ifdef __cplusplus
}
#endif

#endif /* JIAOZI_BOARD_H */
