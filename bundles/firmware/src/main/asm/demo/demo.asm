; The demonstration guest: what `./backplane` boots when it is told nothing else. It shows that each card of the machine works, and that
; swapping one loses nothing: every card has a counter, and a second number that stays put as long as all is well.
;
; The boot sector loads the rest by int 13h, asks the BIOS for the memory size, and goes to 32-bit protected mode with paging. From there
; on the guest drives the cards itself, by interrupts, and halts the CPU in between.
;
; Memory: 07C00 this image, 10000 variables, 1F000 stack, 20000 page directory, 21000 page table, 30000 pages for the MMU check.

        cpu 686
        org 0x7c00

VARIABLES       equ 0x10000
STACK           equ 0x1f000
PAGE_DIRECTORY  equ 0x20000
PAGE_TABLE      equ 0x21000
CHECK_PAGES     equ 0x30000             ; 8 pages
CHECK_WINDOW    equ 0x3ff000            ; where one of them is seen

CODE            equ 0x08
DATA            equ 0x10

; ---- Boot sector ---------------------------------------------------------------------------------------------------
        bits 16
image:
        jmp 0:boot
boot:
        cli
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, 0x7c00
        sti
        cld
        mov [boot_drive], dl
        mov ax, 0x0003
        int 0x10
        mov di, 3
.try:
        mov ax, 0x0200 + SECTORS - 1    ; the first track holds it all
        mov bx, 0x7e00
        mov cx, 0x0002
        mov dh, 0
        mov dl, [boot_drive]
        int 0x13
        jnc .loaded
        xor ah, ah
        mov dl, [boot_drive]
        int 0x13
        dec di
        jnz .try
        mov si, text_unreadable
.print:
        lodsb
        test al, al
        jz .stop
        mov ah, 0x0e
        mov bx, 7
        int 0x10
        jmp .print
.stop:
        hlt
        jmp .stop
.loaded:
        mov ax, 0x2401                  ; A20 on
        int 0x15
        mov ax, 0xe801
        int 0x15
        jc .entered
        mov [memory_kib], ax
        mov [memory_blocks], bx
.entered:
        mov dx, 0x3f2                   ; the diskette motor would run on without the BIOS
        mov al, 0x0c
        out dx, al
        cli
        lgdt [gdtr]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp CODE:start32

text_unreadable: db "The demonstration floppy cannot be read.", 0
boot_drive:     db 0
memory_kib:     dw 0
memory_blocks:  dw 0

        align 8
gdt:    dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr:   dw 23
        dd gdt

        times 510 - ($ - $$) db 0
        dw 0xaa55

; ---- 32 bits --------------------------------------------------------------------------------------------------------
        bits 32
%include "variables.inc"
%include "main.asm"
%include "interrupts.asm"
%include "screen.asm"
%include "layout.asm"
%include "serial.asm"
%include "keyboard.asm"
%include "clock.asm"
%include "checks.asm"

image_end:
        align 512, db 0
SECTORS         equ ($ - image) / 512

%if SECTORS > 18
%error the demonstration guest does not fit the first track
%endif
