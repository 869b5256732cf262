#include <stdio.h>
#include <stdlib.h>

#include "board.h"

void board_write(const char* text) {
    fputs(text, stdout);
}
void board_exit(int failed) {
    exit(failed);
}
void board_paint_stack(void) {}
uint32_t board_deepest_stack(void) {
    return 0;
}
