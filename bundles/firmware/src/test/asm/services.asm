; A boot floppy that calls the services of the BIOS and checks what they answer. It prints a line for each check on COM1, "ok NAME" or
; "FAIL NAME VALUE", then "END", and ends the machine by isa-debug-exit (port F4h) with 0 or 1. The floppy must be 1.44 MB and may be written.

        cpu 686
        bits 16
        org 0x7c00
SECTORS         equ 17                  ; after the boot sector
BUFFER          equ 0x2000              ; segment of 64 KiB for transfers
image:
        jmp 0:start
start:
        xor ax, ax
        mov ds, ax
        mov es, ax
        cli
        mov ss, ax
        mov sp, 0x7c00
        sti
        cld
        mov ax, 0x0200 + SECTORS
        mov bx, 0x7e00
        mov cx, 2
        xor dx, dx
        int 0x13
        jc .failed
        jmp tests
.failed:
        mov al, '!'
        mov dx, 0x3f8
        out dx, al
        hlt
        times 510 - ($ - $$) db 0
        dw 0xaa55

; CHECK_EQ name, value (16 bits), expected
%macro CHECK_EQ 3
        push ax
        mov ax, %2
        cmp ax, %3
        call check
        pop ax
        jmp short %%over
        db %1, 0
%%over:
%endmacro
; After an instruction that set the flags: condition holds or not
%macro CHECK_IF 2
        push ax
        j%2 %%yes
        mov ax, 1
        jmp short %%test
%%yes:
        xor ax, ax
%%test:
        test ax, ax
        call check
        pop ax
        jmp short %%over
        db %1, 0
%%over:
%endmacro

; ZF = passed, AX = value; the name follows "pop ax; jmp short" after the call.
check:
        pushf
        pusha
        push ds
        push es
        pushf
        xor cx, cx
        mov ds, cx
        mov es, cx
        mov bp, sp
        popf
        mov di, ax
        mov si, text_ok
        je .print
        mov si, text_fail
        inc word [failures]
.print:
        call serial_text
        mov bp, sp
        mov si, [bp + 2 * 2 + 8 * 2 + 2]        ; return address
        add si, 3                       ; pop ax, jmp short
        call serial_text
        mov si, text_value
        call serial_text
        mov ax, di
        call serial_hex
        mov si, text_line
        call serial_text
        pop es
        pop ds
        popa
        popf
        ret

serial_text:
        lodsb
        test al, al
        jz .done
        call serial_char
        jmp serial_text
.done:
        ret
serial_char:
        push dx
        push ax
        mov dx, 0x3fd
.wait:
        in al, dx
        test al, 0x20
        jz .wait
        pop ax
        mov dx, 0x3f8
        out dx, al
        pop dx
        ret
serial_hex:
        mov cx, 4
.digit:
        rol ax, 4
        push ax
        and al, 15
        cmp al, 10
        sbb al, 0x69
        das
        call serial_char
        pop ax
        loop .digit
        ret
text_ok:        db "ok ", 0
text_fail:      db "FAIL ", 0
text_value:     db " ", 0
text_line:      db 13, 10, 0
failures:       dw 0

tests:
        call test_registers
        call test_system
        call test_time
        call test_keyboard
        call test_text
        call test_graphics
        call test_disk
        call test_serial
        mov ax, 3
        int 0x10
        mov si, .end
        call serial_text
        mov ax, [failures]
        test ax, ax
        jz .exit
        mov al, 1
.exit:
        mov dx, 0xf4
        out dx, al
        hlt
.end:   db "END", 13, 10, 0

; ---- Registers keep their upper halves -------------------------------------------------------------------------------
%macro SERVICE_KEEPS 3                  ; name, interrupt, AX
        mov eax, 0xa1a20000 + %3
        mov ebx, 0xb1b20000
        mov ecx, 0xc1c20000
        mov edx, 0xd1d20000
        mov esi, 0xe1e2e3e4
        mov edi, 0xf1f2f3f4
        mov ebp, 0x11121314
        int %2
        xor ax, ax
        xor bx, bx
        xor cx, cx
        xor dx, dx
        sub eax, 0xa1a20000
        sub ebx, 0xb1b20000
        or eax, ebx
        sub ecx, 0xc1c20000
        or eax, ecx
        sub edx, 0xd1d20000
        or eax, edx
        sub esi, 0xe1e2e3e4
        or eax, esi
        sub edi, 0xf1f2f3f4
        or eax, edi
        sub ebp, 0x11121314
        or eax, ebp
        CHECK_IF %1, z
%endmacro
test_registers:
        SERVICE_KEEPS "int 10h keeps registers", 0x10, 0x0300
        SERVICE_KEEPS "int 13h keeps registers", 0x13, 0x0100
        SERVICE_KEEPS "int 16h keeps registers", 0x16, 0x0100
        SERVICE_KEEPS "int 1Ah keeps registers", 0x1a, 0x0000
        SERVICE_KEEPS "int 15h keeps registers", 0x15, 0x8800
        ret

; ---- int 11h, 12h, 15h -------------------------------------------------------------------------------------------------
test_system:
        int 0x11
        and ax, 0x0031
        CHECK_EQ "equipment: a drive, 80 columns", ax, 0x0021
        int 0x12
        CHECK_EQ "memory: 639 KiB", ax, 639
        mov ah, 0xc0
        int 0x15
        CHECK_EQ "configuration: model", [es:bx + 2], 0x00fc
        mov ah, 0xc1
        int 0x15
        mov ax, es
        CHECK_EQ "EBDA", ax, 0x9fc0
        push ds
        pop es
        mov ax, 0xe801
        int 0x15
        CHECK_EQ "E801 below 16 MiB", ax, 0x3c00
        mov [blocks], bx
        CHECK_EQ "E801 twice", cx, ax
        mov ah, 0x88
        int 0x15
        CHECK_IF "88h at least 15 MiB", nc

        xor ebx, ebx                    ; E820: ordered, RAM adds up
        xor ebp, ebp
        xor esi, esi
.map:
        mov eax, 0xe820
        mov edx, 0x534d4150
        mov ecx, 24
        mov di, map_entry
        int 0x15
        jc .map_end
        cmp eax, 0x534d4150
        jne .map_bad
        cmp ecx, 20
        jne .map_bad
        cmp [map_entry], ebp
        jb .map_bad
        mov ebp, [map_entry]
        add ebp, [map_entry + 8]
        cmp dword [map_entry + 16], 1
        jne .not_ram
        add esi, [map_entry + 8]
.not_ram:
        test ebx, ebx
        jnz .map
        jmp .map_end
.map_bad:
        xor esi, esi
.map_end:
        movzx eax, word [blocks]
        shl eax, 16
        add eax, 15 << 20
        add eax, 0x9fc00
        cmp eax, esi
        CHECK_IF "E820 agrees with E801", e
        mov ax, 0xe820
        mov edx, 0x12345678
        xor ebx, ebx
        mov ecx, 20
        int 0x15
        CHECK_IF "E820 wants SMAP", c

        mov ax, 0x2400
        int 0x15
        mov ax, 0x2402
        int 0x15
        CHECK_EQ "A20 off", ax, 0
        call a20_probe
        CHECK_EQ "A20 off: 1 MiB is 0", ax, 1
        mov ax, 0x2401
        int 0x15
        mov ax, 0x2402
        int 0x15
        CHECK_EQ "A20 on", ax, 1
        call a20_probe
        CHECK_EQ "A20 on: 1 MiB is its own", ax, 0

        mov ax, BUFFER                  ; block move to 1 MiB + 64 KiB, and back elsewhere
        mov es, ax
        xor di, di
        mov cx, 512
        mov ax, 0x1234
.fill:
        stosw
        add ax, 7
        loop .fill
        mov word [gdt_source + 2], BUFFER << 4 & 0xffff
        mov byte [gdt_source + 4], BUFFER >> 12
        mov word [gdt_target + 2], 0
        mov byte [gdt_target + 4], 0x11
        call block_move
        CHECK_IF "87h to extended memory", nc
        mov word [gdt_source + 2], 0
        mov byte [gdt_source + 4], 0x11
        mov word [gdt_target + 2], (BUFFER << 4) + 0x4000 & 0xffff
        mov byte [gdt_target + 4], BUFFER >> 12
        call block_move
        push ds
        mov ax, BUFFER
        mov es, ax
        mov ds, ax
        xor si, si
        mov di, 0x4000
        mov cx, 512
        repe cmpsw
        pop ds
        CHECK_IF "87h and back", e
        push ds
        pop es
        mov ah, 0x4f
        mov al, 0x33
        stc
        int 0x15
        CHECK_IF "4Fh keeps carry", c
        mov ax, 0xec00
        int 0x15
        mov al, 0
        CHECK_EQ "unknown function", ax, 0x8600
        ret

; AX = 1 when 100500h is the same byte as 500h.
a20_probe:
        push es
        mov ax, 0xffff
        mov es, ax
        mov byte [0x500], 0x11
        mov byte [es:0x510], 0x22
        mov ax, 0
        cmp byte [0x500], 0x22
        jne .done
        inc ax
.done:
        pop es
        ret

block_move:
        push ds
        pop es
        mov si, gdt
        mov cx, 512
        mov ah, 0x87
        int 0x15
        ret

blocks:         dw 0
map_entry:      times 24 db 0
gdt:            times 16 db 0
gdt_source:     dw 0xffff, 0
                db 0, 0x93, 0, 0
gdt_target:     dw 0xffff, 0
                db 0, 0x93, 0, 0
                times 16 db 0

; ---- int 1Ah, waits ----------------------------------------------------------------------------------------------------
test_time:
        xor ah, ah
        int 0x1a
        mov bx, dx
.tick:
        hlt
        xor ah, ah
        int 0x1a
        cmp dx, bx
        je .tick
        sub dx, bx
        CHECK_EQ "ticks go on", dx, 1
        mov ah, 1
        mov cx, 0x0012
        mov dx, 0x3456
        int 0x1a
        xor ah, ah
        int 0x1a
        CHECK_EQ "ticks set", cx, 0x0012
        mov ah, 5
        mov cx, 0x2024
        mov dx, 0x0229
        int 0x1a
        mov ah, 3
        mov cx, 0x1258
        mov dx, 0x3000
        int 0x1a
        mov ah, 4
        int 0x1a
        CHECK_EQ "century, year", cx, 0x2024
        CHECK_EQ "month, day", dx, 0x0229
        mov ah, 2
        int 0x1a
        CHECK_EQ "hour, minute", cx, 0x1258
        mov ax, 0xb101
        int 0x1a
        CHECK_IF "no PCI BIOS", c
        mov ah, 0x86
        mov cx, 0
        mov dx, 20000
        int 0x15
        CHECK_IF "wait of 20 ms", nc
        mov byte [wait_flag], 0
        mov ax, 0x8300
        mov cx, 0
        mov dx, 5000
        mov bx, wait_flag
        int 0x15
        CHECK_IF "event wait", nc
.wait:
        hlt
        test byte [wait_flag], 0x80
        jz .wait
        ret
wait_flag:      db 0

; ---- int 16h: scan codes by the keyboard controller's command D2h -------------------------------------------------------
; A key that changes a lamp makes the BIOS write to the keyboard, which must not happen between the command and its operand.
scan_code:
        cli
        push ax
        call .writable
        mov al, 0xd2
        out 0x64, al
        call .writable
        pop ax
        out 0x60, al
        sti
        mov ah, 0x86                    ; keyboards are slow: 3 ms
        xor cx, cx
        mov dx, 3000
        int 0x15
        ret
.writable:
        in al, 0x64
        test al, 2
        jnz .writable
        ret

%macro TYPE 1-*
%rep %0
        mov al, %1
        call scan_code
%rotate 1
%endrep
%endmacro
%macro KEY_IS 2
        mov ah, 1
        int 0x16
        mov ax, 0
        jz %%none
        xor ah, ah
        int 0x16
%%none:
        CHECK_EQ %1, ax, %2
%endmacro

test_keyboard:
.drain:
        mov ah, 1
        int 0x16
        jz .empty
        xor ah, ah
        int 0x16
        jmp .drain
.empty:
        mov ah, 5
        mov cx, 0x1234
        int 0x16
        KEY_IS "stored key", 0x1234
        TYPE 0x1e, 0x9e
        KEY_IS "a", 0x1e61
        TYPE 0x2a, 0x1e, 0x9e
        mov ah, 2
        int 0x16
        mov ah, 0
        CHECK_EQ "left shift is down", ax, 2
        TYPE 0xaa
        KEY_IS "A", 0x1e41
        TYPE 0x1d, 0x2e, 0xae, 0x9d
        KEY_IS "Ctrl-C", 0x2e03
        TYPE 0x38, 0x10, 0x90, 0xb8
        KEY_IS "Alt-Q", 0x1000
        TYPE 0x3a, 0xba, 0x1e, 0x9e
        KEY_IS "Caps a", 0x1e41
        TYPE 0x2a, 0x1e, 0x9e, 0xaa, 0x3a, 0xba
        KEY_IS "Caps Shift a", 0x1e61
        TYPE 0x3b, 0xbb
        KEY_IS "F1", 0x3b00
        TYPE 0x48, 0xc8
        KEY_IS "keypad up", 0x4800
        TYPE 0x45, 0xc5, 0x48, 0xc8, 0x45, 0xc5
        KEY_IS "keypad 8", 0x4838
        TYPE 0xe0, 0x48, 0xe0, 0xc8
        KEY_IS "grey up as 00h tells", 0x4800
        TYPE 0xe0, 0x48, 0xe0, 0xc8
        mov ah, 0x10
        int 0x16
        CHECK_EQ "grey up as 10h tells", ax, 0x48e0
        TYPE 0xe0, 0x1c, 0xe0, 0x9c
        KEY_IS "keypad Enter", 0x1c0d
        TYPE 0x57, 0xd7, 0x1f, 0x9f
        KEY_IS "F11 is hidden from 00h", 0x1f73
        TYPE 0x38, 0x4d, 0xcd, 0x4c, 0xcc, 0xb8
        KEY_IS "Alt 6 5", 0x0041
        mov cx, 20
.overflow:
        push cx
        TYPE 0x1e, 0x9e
        pop cx
        loop .overflow
        xor bx, bx
.count:
        mov ah, 1
        int 0x16
        jz .counted
        xor ah, ah
        int 0x16
        inc bx
        jmp .count
.counted:
        CHECK_EQ "15 keys fit", bx, 15
        ret

; ---- int 10h, text ------------------------------------------------------------------------------------------------------
test_text:
        mov ax, 0x0003
        int 0x10
        mov ah, 0x0f
        int 0x10
        CHECK_EQ "mode 3 has 80 columns", ax, 0x5003
        mov ah, 2
        mov bh, 0
        mov dx, 0x0509
        int 0x10
        mov ax, 0x0e58
        int 0x10
        mov ah, 3
        mov bh, 0
        int 0x10
        CHECK_EQ "teletype moves the cursor", dx, 0x050a
        mov ah, 2
        mov dx, 0x0509
        int 0x10
        mov ah, 8
        int 0x10
        CHECK_EQ "character and attribute", ax, 0x0758
        mov ax, 0x0941
        mov bx, 0x001e
        mov cx, 3
        int 0x10
        push ds
        mov ax, 0xb800
        mov ds, ax
        mov ax, [5 * 160 + 11 * 2]
        pop ds
        CHECK_EQ "character three times", ax, 0x1e41
        mov ax, 0x0601
        mov bh, 0x20
        mov cx, 0x0400
        mov dx, 0x064f
        int 0x10
        push ds
        mov ax, 0xb800
        mov ds, ax
        mov ax, [4 * 160 + 11 * 2]
        mov bx, [6 * 160 + 11 * 2]
        pop ds
        CHECK_EQ "scrolled up", ax, 0x1e41
        CHECK_EQ "blank line below", bx, 0x2020
        mov ax, 0x0702
        mov bh, 0x07
        mov cx, 0x0000
        mov dx, 0x184f
        int 0x10
        push ds
        mov ax, 0xb800
        mov ds, ax
        mov ax, [6 * 160 + 11 * 2]
        mov bx, [1 * 160 + 11 * 2]
        pop ds
        CHECK_EQ "scrolled down", ax, 0x1e41
        CHECK_EQ "blank lines above", bx, 0x0720
        mov ah, 2
        mov bh, 0
        mov dx, 0x184f
        int 0x10
        mov ax, 0x0e5a
        int 0x10
        mov ah, 3
        mov bh, 0
        int 0x10
        CHECK_EQ "teletype wraps at the end", dx, 0x1800
        push ds
        mov ax, 0xb800
        mov ds, ax
        mov ax, [23 * 160 + 79 * 2]
        pop ds
        CHECK_EQ "and scrolls", ax, 0x075a
        mov bp, .string
        mov cx, 4
        mov dx, 0x0a0a
        mov bx, 0x002f
        mov ax, 0x1301
        int 0x10
        push ds
        mov ax, 0xb800
        mov ds, ax
        mov ax, [10 * 160 + 13 * 2]
        pop ds
        CHECK_EQ "string", ax, 0x2f34
        mov ah, 3
        mov bh, 0
        int 0x10
        CHECK_EQ "cursor after the string", dx, 0x0a0e
        mov ax, 0x1130
        mov bh, 6
        int 0x10
        mov al, [es:bp + 'A' * 16 + 8]
        push ds
        pop es
        CHECK_IF "font of 16 lines", nc
        mov ah, 0
        test al, al
        CHECK_IF "its A has a bar", nz
        CHECK_EQ "lines on screen", cx, 16
        mov ah, 0x12
        mov bl, 0x10
        int 0x10
        CHECK_EQ "256 KiB, colour", bx, 0x0003
        mov ax, 0x1a00
        int 0x10
        CHECK_EQ "display code: VGA", bx, 0x0008
        mov ax, 0x1112                  ; 8x8 font: 50 rows
        mov bl, 0
        int 0x10
        mov al, [0x484]
        mov ah, 0
        CHECK_EQ "8 lines: 50 rows", ax, 49
        mov ax, 0x1010
        mov bx, 5
        mov dh, 0x11
        mov cx, 0x2233
        int 0x10
        mov ax, 0x1015
        mov bx, 5
        xor cx, cx
        int 0x10
        CHECK_EQ "DAC keeps a colour", cx, 0x2233
        mov ax, 0x1000
        mov bx, 0x2a03
        int 0x10
        mov ax, 0x1007
        mov bx, 0x0003
        int 0x10
        CHECK_EQ "palette register", bx, 0x2a03
        mov ax, 0x4f00
        int 0x10
        CHECK_EQ "no VESA", ax, 0x4f00
        ret
.string: db "1234"

; ---- int 10h, graphics --------------------------------------------------------------------------------------------------
%macro GRAPHICS 2                       ; name, mode
        mov ax, %2
        int 0x10
        mov ax, 0x0c05
        mov bx, 0
        mov cx, 123
        mov dx, 45
        int 0x10
        mov ah, 0x0d
        mov al, 0
        int 0x10
        mov ah, 0
        CHECK_EQ {%1, ": pixel"}, ax, 5
        mov ah, 0x0d
        inc cx
        int 0x10
        mov ah, 0
        CHECK_EQ {%1, ": its neighbour"}, ax, 0
        mov ah, 2
        mov bh, 0
        mov dx, 0x0304
        int 0x10
        mov ax, 0x0952
        mov bx, 0x0003
        mov cx, 2
        int 0x10
        mov ah, 8
        mov bh, 0
        int 0x10
        mov ah, 0
        CHECK_EQ {%1, ": character read back"}, ax, 'R'
        mov ax, 0x0602
        mov bh, 0
        mov cx, 0x0000
        mov dx, 0x0a10
        int 0x10
        mov ah, 2
        mov bh, 0
        mov dx, 0x0105
        int 0x10
        mov ah, 8
        int 0x10
        mov ah, 0
        CHECK_EQ {%1, ": scrolled up"}, ax, 'R'
        mov ax, 0x0701
        mov bh, 0
        mov cx, 0x0000
        mov dx, 0x0a10
        int 0x10
        mov ah, 8
        int 0x10
        mov ah, 0
        CHECK_EQ {%1, ": blank above"}, ax, 0   ; the first character that looks so
        mov ah, 2
        mov dx, 0x0204
        int 0x10
        mov ah, 8
        int 0x10
        mov ah, 0
        CHECK_EQ {%1, ": scrolled down"}, ax, 'R'
        mov ax, 0x0a52                  ; XOR twice gives the background (planar), or once more (256 colours)
        mov bx, 0x0083
        mov cx, 1
        int 0x10
        mov ah, 8
        int 0x10
        mov ah, 0
%if %2 == 0x13
        CHECK_EQ {%1, ": colour 83h"}, ax, 'R'
%else
        CHECK_EQ {%1, ": XOR"}, ax, 0
%endif
%endmacro
test_graphics:
        GRAPHICS "12h", 0x12
        GRAPHICS "13h", 0x13
        GRAPHICS "0Dh", 0x0d
        GRAPHICS "10h", 0x10
        mov ax, 0x0012
        int 0x10
        mov ax, 0x0e0a
        mov cx, 29
.down:
        push cx
        mov bx, 7
        mov ax, 0x0e0a
        int 0x10
        pop cx
        loop .down
        mov ah, 3
        mov bh, 0
        int 0x10
        CHECK_EQ "12h has 30 rows", dx, 0x1d00
        mov ax, 0x0003
        int 0x10
        ret

; ---- int 13h --------------------------------------------------------------------------------------------------------------
%macro DISK 3                           ; AX, CX, DX; buffer BUFFER:0
        mov ax, BUFFER
        mov es, ax
        xor bx, bx
        mov ax, %1
        mov cx, %2
        mov dx, %3
        int 0x13
%endmacro
test_disk:
        mov ah, 8
        mov dl, 0
        int 0x13
        CHECK_EQ "parameters: cylinders, sectors", cx, 0x4f12
        CHECK_EQ "parameters: heads, drives", dx, 0x0101
        mov al, [es:di + 4]
        mov ah, 0
        CHECK_EQ "parameters: table", ax, 18
        mov ah, 0x15
        mov dl, 0
        int 0x13
        mov al, 0
        CHECK_EQ "kind: with change line", ax, 0x0200
        mov ah, 8
        mov dl, 0x80
        int 0x13
        CHECK_IF "no hard disk", c

        mov ax, BUFFER
        mov es, ax
        xor di, di
        mov cx, 18 * 256
        mov ax, 0x5aa5
.pattern:
        stosw
        add ax, 0x0137
        loop .pattern
        DISK 0x0312, 0x2801, 0x0100
        CHECK_EQ "write of a track", ax, 0x0012
        mov ax, BUFFER
        mov es, ax
        xor di, di
        xor ax, ax
        mov cx, 18 * 256
        rep stosw
        DISK 0x0212, 0x2801, 0x0100
        CHECK_EQ "read of a track", ax, 0x0012
        mov ax, BUFFER
        mov es, ax
        xor di, di
        mov cx, 18 * 256
        mov ax, 0x5aa5
        xor bx, bx
.compare:
        scasw
        je .same
        inc bx
.same:
        add ax, 0x0137
        loop .compare
        CHECK_EQ "it is what was written", bx, 0
        DISK 0x0201, 0x2905, 0x0000
        CHECK_EQ "other cylinders are as they were", [es:0], 0
        DISK 0x0201, 0x0001, 0x0000
        mov ax, [es:510]
        CHECK_EQ "boot sector", ax, 0xaa55
        DISK 0x0412, 0x2801, 0x0100
        CHECK_EQ "verify", ax, 0x0012
        DISK 0x0201, 0x2813, 0x0000
        CHECK_IF "sector 19 fails", c
        CHECK_EQ "sector not found", ax, 0x0400
        mov ah, 1
        mov dl, 0
        int 0x13
        mov al, 0
        CHECK_EQ "last status", ax, 0x0400
        DISK 0x0201, 0x2801, 0x0000
        CHECK_IF "a read after an error", nc
        DISK 0x0200, 0x2801, 0x0000
        mov al, 0
        CHECK_EQ "no sectors is an error", ax, 0x0100
        DISK 0x0201, 0x2801, 0x0003
        mov al, 0
        CHECK_EQ "drive 3 is an error", ax, 0x0100
        mov ax, BUFFER + 0xf80
        mov es, ax
        mov bx, 0x0700
        mov ax, 0x0202
        mov cx, 0x0001
        xor dx, dx
        int 0x13
        mov al, 0
        CHECK_EQ "over 64 KiB is an error", ax, 0x0900
        mov ax, BUFFER
        mov es, ax
        xor di, di
        mov bx, 1
.ids:
        mov ax, 0x004f
        stosw
        mov ah, 2
        mov al, bl
        stosw
        inc bx
        cmp bx, 19
        jb .ids
        DISK 0x0512, 0x4f01, 0x0000
        CHECK_IF "format", nc
        DISK 0x0201, 0x4f12, 0x0000
        CHECK_EQ "formatted sector", [es:100], 0xf6f6
        xor ah, ah
        mov dl, 0
        int 0x13
        CHECK_IF "reset", nc
        DISK 0x0201, 0x0001, 0x0000
        CHECK_IF "read after a reset", nc
        mov ah, 0x16
        mov dl, 0
        int 0x13
        CHECK_IF "not changed", nc
        in al, 0x21                     ; with the controller's interrupt masked
        push ax
        or al, 0x40
        out 0x21, al
        DISK 0x0201, 0x3001, 0x0100
        pop bx
        xchg ax, bx
        out 0x21, al
        CHECK_EQ "read without interrupts", bx, 0x0001
        push ds
        pop es
        ret

; ---- int 14h, 17h -----------------------------------------------------------------------------------------------------------
test_serial:
        mov ah, 3
        mov dx, 0
        int 0x14
        and ax, 0x6000
        CHECK_EQ "COM1 is idle", ax, 0x6000
        mov ah, 1
        mov al, '-'
        mov dx, 0
        int 0x14
        test ah, 0x80
        CHECK_IF "COM1 sends", z
        mov ax, 0x0300
        mov dx, 3
        mov bx, [0x406]
        int 0x14
        test bx, bx
        jnz .there
        CHECK_EQ "no COM4", ax, 0x0300
.there:
        mov ah, 2
        mov dx, 0
        int 0x17
        test ah, 1
        CHECK_IF "no printer", nz
        ret

        align 512, db 0
%if ($ - image) / 512 > SECTORS + 1
%error too large
%endif
