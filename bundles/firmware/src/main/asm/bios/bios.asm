; The BIOS of Backplane: a 64 KiB image for segment F000. Its parts are files by subject, in this order; addresses that old
; software knows by heart are at the end. It assumes the cards of a PC/AT with a VGA and reaches them by their registers only.
; Assembled by scripts/assemble-firmware.

        cpu 686
        bits 16
        org 0

%include "defs.inc"

        db "Backplane BIOS", 0

%include "post.asm"
%include "boot.asm"
%include "irq.asm"
%include "time.asm"
%include "keyboard.asm"
%include "keymap.asm"
%include "disk.asm"
%include "fdc.asm"
%include "serial.asm"
%include "system.asm"
%include "memory.asm"
%include "video.asm"
%include "vmode.asm"
%include "vtext.asm"
%include "vgraph.asm"
%include "vpalette.asm"
%include "font.asm"

; ---- Addresses of the original -------------------------------------------------------------------------------------

%macro AT 1
        times (%1) - ($ - $$) db 0
%endmacro

        AT 0xe05b                       ; power-on entry
        jmp post

        AT 0xe6f5                       ; system configuration table (int 15h, AH=C0h)
config_table:
        dw 8                            ; bytes that follow
        db 0xfc, 0, 1                   ; model AT, submodel, revision
        db 0x74                         ; second 8259, RTC, keyboard intercept, EBDA
        db 0x40                         ; int 16h AH=09h
        db 0, 0, 0

        AT 0xefc7                       ; diskette parameters (int 1Eh): 1.44 MB
diskette_table:
        DISKETTE_PARAMETERS 18, 0x1b, 0x6c

        AT 0xfa6e                       ; characters 0 to 127 for graphics modes of 8 lines
font8_low:
        FONT8_LOW

        AT 0xff53
dummy_iret:
        iret

        AT 0xfff0
        jmp 0xf000:post
        db "01/01/26"
        AT 0xfffe
        db 0xfc, 0                      ; model: AT
