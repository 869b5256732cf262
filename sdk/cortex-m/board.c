/* Reset, output by semihosting, and a painted stack, for QEMU's mps2-an386. */
#include "board.h"

#include <string.h>

int main(void);

extern uint32_t data_begin[], data_end[], data_load[], bss_begin[], bss_end[], stack_lowest[], stack_highest[];
extern void (*init_begin[])(void);
extern void (*init_end[])(void);

/* Semihosting for Cortex-M (Arm, "Semihosting for AArch32 and AArch64"): the debugger, here QEMU, answers BKPT 0xAB. */
enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20, ADP_STOPPED_APPLICATION_EXIT = 0x20026 };

static uint32_t semihosting(uint32_t operation, const void* argument) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void* r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void board_write(const char* text) {
    semihosting(SYS_WRITE0, text);
}

void board_exit(int failed) {
    const uint32_t arguments[2] = {ADP_STOPPED_APPLICATION_EXIT, (uint32_t)failed};
    semihosting(SYS_EXIT_EXTENDED, arguments);
    for (;;) {
    }
}

static const uint32_t paint = 0xA5C3A5C3;
static uint32_t* painted_to;

void board_paint_stack(void) {
    uint32_t* here;
    uint32_t* word;
    __asm__ volatile("mov %0, sp" : "=r"(here));
    painted_to = here;
    for (word = stack_lowest; word < here; ++word) *(volatile uint32_t*)word = paint;
}

uint32_t board_deepest_stack(void) {
    const uint32_t* word = stack_lowest;
    while (word < painted_to && *word == paint) ++word;
    return (uint32_t)((const char*)painted_to - (const char*)word);
}

void reset_handler(void) {
    void (**call)(void);
    memcpy(data_begin, data_load, (size_t)((char*)data_end - (char*)data_begin));
    memset(bss_begin, 0, (size_t)((char*)bss_end - (char*)bss_begin));
    for (call = init_begin; call < init_end; ++call) (*call)();
    board_exit(main());
}

static void fault_handler(void) {
    board_write("fault\n");
    board_exit(1);
}

/* libsodium's one way out when it is used wrongly. */
void abort(void) {
    fault_handler();
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {(void (*)(void))stack_highest,
                                                                                     reset_handler,
                                                                                     fault_handler,
                                                                                     fault_handler,
                                                                                     fault_handler,
                                                                                     fault_handler,
                                                                                     fault_handler};
