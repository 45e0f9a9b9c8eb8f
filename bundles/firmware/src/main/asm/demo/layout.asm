; What stands where on the screen (code page 437).

ATTR_FRAME      equ 0x13
ATTR_TEXT       equ 0x17
ATTR_DIM        equ 0x18
ATTR_TITLE      equ 0x1f
ATTR_HEAD       equ 0x1b
ATTR_CARD       equ 0x1e
ATTR_NUMBER     equ 0x1f
ATTR_GOOD       equ 0x1a
ATTR_BAD        equ 0x1c
ATTR_KEY        equ 0x30
ATTR_TYPED      equ 0x1f
ATTR_BOARD      equ 0x16
ATTR_LIGHT      equ 0x1e

ROW_TITLE       equ 1
ROW_TIMER       equ 10
ROW_CLOCK       equ 11
ROW_SERIAL      equ 12
ROW_SERIAL_IN   equ 13
ROW_KEYS        equ 14
ROW_VGA         equ 15
ROW_MMU         equ 16
ROW_CPU         equ 17
ROW_TYPED       equ 19
ROW_COM         equ 20
ROW_BOTTOM      equ 24

COLUMN_LOGO     equ 3
LOGO_WIDTH      equ 17
COLUMN_RIGHT    equ 56
COLUMN_COUNT    equ 52
COUNT_WIDTH     equ 10
COLUMN_TROUBLE  equ 65
TROUBLE_WIDTH   equ 6
INPUT_COLUMN    equ 18
INPUT_END       equ 76

; Rows of the frame that are a line from side to side.
frame_rows:
        db 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0

; Colours of the background: red, green, blue of 63.
themes:
        db 0, 5, 17, 0, 11, 10, 14, 2, 12, 9, 9, 10, 0, 0, 0
THEMES          equ ($ - themes) / 3

; Row, column, attribute, text.
%macro TEXT 4+
        db %1, %2, %3, %4, 0
%endmacro
layout:
        TEXT 1, 3, 0x1a, 0xdc, 0xdc, 0xdc, 0xdc, 0xdc
        TEXT 1, 9, 0x1e, 0xdc, 0xdc, 0xdc, 0xdc, 0xdc
        TEXT 1, 15, 0x1b, 0xdc, 0xdc, 0xdc, 0xdc, 0xdc
        TEXT 2, 3, 0x1a, 0xdb, 0xfe, 0xdb, 0xfe, 0xdb
        TEXT 2, 9, 0x1e, 0xdb, 0xdb, 0xfe, 0xfe, 0xdb
        TEXT 2, 15, 0x1b, 0xdb, 0xfe, 0xfe, 0xdb, 0xdb
        TEXT 3, 3, ATTR_BOARD, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf
        TEXT 1, 24, ATTR_TITLE, "B A C K P L A N E"
        TEXT 2, 24, ATTR_TEXT, "a PC made of OSGi bundles"
        TEXT 3, 24, ATTR_DIM, "demonstration guest"

        TEXT 5, 3, ATTR_TEXT, "Each chip below is a card: a bundle that can be pulled out, put back, or"
        TEXT 6, 3, ATTR_TEXT, "replaced by another version while this guest runs. Try that in the shell:"
        TEXT 7, 3, ATTR_CARD, "card:list"
        TEXT 7, 12, ATTR_TEXT, ","
        TEXT 7, 14, ATTR_CARD, "card:swap"
        TEXT 7, 23, ATTR_TEXT, ". The counters go on, and nobody has any trouble."

        TEXT 9, 3, ATTR_HEAD, "Card"
        TEXT 9, 18, ATTR_HEAD, "What it does for this guest"
        TEXT 9, 57, ATTR_HEAD, "Count"
        TEXT 9, 66, ATTR_HEAD, "Trouble"
        TEXT ROW_TIMER, 3, ATTR_CARD, "pit, pic"
        TEXT ROW_TIMER, 18, ATTR_TEXT, "timer interrupts,"
        TEXT ROW_TIMER, 41, ATTR_TEXT, "a second"
        TEXT ROW_TIMER, 72, ATTR_DIM, "ms gap"
        TEXT ROW_CLOCK, 3, ATTR_CARD, "rtc"
        TEXT ROW_CLOCK, 18, ATTR_TEXT, "clock interrupts, 1 a second"
        TEXT ROW_CLOCK, 72, ATTR_DIM, "missed"
        TEXT ROW_SERIAL, 3, ATTR_CARD, "com1"
        TEXT ROW_SERIAL, 18, ATTR_TEXT, "characters sent"
        TEXT ROW_SERIAL_IN, 18, ATTR_TEXT, "characters received"
        TEXT ROW_SERIAL_IN, 72, ATTR_DIM, "lost"
        TEXT ROW_KEYS, 3, ATTR_CARD, "i8042"
        TEXT ROW_KEYS, 18, ATTR_TEXT, "keys pressed"
        TEXT ROW_VGA, 3, ATTR_CARD, "vga"
        TEXT ROW_VGA, 18, ATTR_TEXT, "characters written and read back"
        TEXT ROW_VGA, 72, ATTR_DIM, "wrong"
        TEXT ROW_MMU, 3, ATTR_CARD, "mmu"
        TEXT ROW_MMU, 18, ATTR_TEXT, "pages remapped and read back"
        TEXT ROW_MMU, 72, ATTR_DIM, "wrong"
        TEXT ROW_CPU, 3, ATTR_CARD, "cpu, emulator"
        TEXT ROW_CPU, 18, ATTR_TEXT, "checksums calculated"
        TEXT ROW_CPU, 72, ATTR_DIM, "wrong"

        TEXT ROW_TYPED, 3, ATTR_HEAD, "Keyboard"
        TEXT ROW_TYPED, 16, ATTR_DIM, ">"
        TEXT ROW_COM, 3, ATTR_HEAD, "COM1"
        TEXT ROW_COM, 16, ATTR_DIM, ">"

        TEXT 22, 3, ATTR_KEY, " F1 "
        TEXT 22, 8, ATTR_TEXT, "colour"
        TEXT 22, 17, ATTR_KEY, " F2 "
        TEXT 22, 22, ATTR_TEXT, "timer rate"
        TEXT 22, 35, ATTR_KEY, " F3 "
        TEXT 22, 40, ATTR_TEXT, "lines on COM1"
        TEXT 22, 56, ATTR_KEY, " Ctrl-Alt-Del "
        TEXT 22, 71, ATTR_TEXT, "reset"
        db 0xff

text_up:        db "up ", 0
text_megabytes: db " MB of memory", 0
