/* The board that a program of an operating system has. */
#include <stdio.h>
#include <stdlib.h>

#include "board.h"

void board_write(const char* text) {
    fputs(text, stdout);
}

void board_exit(int failed) {
    exit(failed);
}

/* The stack below the caller is what a big array of a called function was. */
enum { painted = 65536, paint = 0xA5 };
static uintptr_t lowest;

__attribute__((noinline)) void board_paint_stack(void) {
    volatile uint8_t area[painted];
    size_t i;
    for (i = 0; i < sizeof area; ++i) area[i] = paint;
    lowest = (uintptr_t)area;
}

__attribute__((noinline)) uint32_t board_deepest_stack(void) {
    const volatile uint8_t* byte = (const volatile uint8_t*)lowest;
    const volatile uint8_t* const end = byte + painted;
    while (byte < end && *byte == paint) ++byte;
    return (uint32_t)(end - byte);
}
