; Screen: drawing, numbers as text, and what changes on it.

SCREEN          equ 0xb8000
GAP_PERIOD      equ 8                   ; seconds, a power of two
%define AT(row, column) (SCREEN + ((row) * 80 + (column)) * 2)

; Draws the text at ESI to EDI with attribute AH, up to its zero. EDI ends after it.
draw_text:
        lodsb
        test al, al
        jz .done
        stosw
        jmp draw_text
.done:
        ret

; Copies the text at ESI to EDI, without its zero.
copy_text:
        lodsb
        test al, al
        jz .done
        stosb
        jmp copy_text
.done:
        ret

; Puts EAX in decimal at EDI. Keeps EDX.
put_decimal:
        push edx
        push ebx
        mov ebx, 10
        xor ecx, ecx
.divide:
        xor edx, edx
        div ebx
        push edx
        inc ecx
        test eax, eax
        jnz .divide
.digit:
        pop eax
        add al, '0'
        stosb
        loop .digit
        pop ebx
        pop edx
        ret

; Puts EAX at EDI with eight hexadecimal digits.
put_hex:
        mov ecx, 8
.digit:
        rol eax, 4
        push eax
        and al, 0x0f
        cmp al, 10
        jb .decimal
        add al, 'a' - 10 - '0'
.decimal:
        add al, '0'
        stosb
        pop eax
        loop .digit
        ret

; Puts EAX below 100 with two digits.
put_two:
        aam
        xchg al, ah
        add ax, '00'
        stosw
        ret

; Puts the BCD byte AL with two digits.
put_bcd:
        mov ah, al
        shr al, 4
        and ah, 0x0f
        add ax, '00'
        stosw
        ret

; Draws EAX in decimal, right-aligned to ECX columns from EDI on, with attribute BH.
draw_number:
        pushad
        lea edi, [edi + ecx * 2 - 2]
        mov esi, 10
        std
.digit:
        xor edx, edx
        div esi
        push eax
        lea eax, [edx + '0']
        mov ah, bh
        stosw
        pop eax
        dec ecx
        jz .done
        test eax, eax
        jnz .digit
        mov al, ' '
        mov ah, bh
        rep stosw
.done:
        cld
        popad
        ret

; The same for a number that should be zero: green, or red.
draw_trouble:
        mov bh, ATTR_GOOD
        test eax, eax
        jz draw_number
        mov bh, ATTR_BAD
        jmp draw_number

screen_start:
        mov edi, SCREEN
        mov ecx, 80 * 25
        mov ax, (ATTR_TEXT << 8) | ' '
        rep stosw
        call draw_frame
        mov esi, layout
.item:
        movzx eax, byte [esi]           ; row; FFh ends
        cmp al, 0xff
        je .cursor
        imul eax, eax, 80
        movzx edx, byte [esi + 1]
        add eax, edx
        lea edi, [SCREEN + eax * 2]
        mov ah, [esi + 2]
        add esi, 3
        call draw_text
        jmp .item
.cursor:
        mov dx, 0x3d4                   ; the hardware cursor is off: the guest draws its own
        mov ax, 0x200a
        out dx, ax
        mov dword [key_column], INPUT_COLUMN
        mov dword [com_column], INPUT_COLUMN
        mov eax, [memory_kib]           ; AX = KiB above 1 MiB, upper half = blocks of 64 KiB above 16 MiB
        mov edx, eax
        shr edx, 16
        movzx eax, ax
        shr eax, 6
        lea eax, [eax + edx + 16 + 15]  ; blocks of 64 KiB, rounded up to MiB
        shr eax, 4
        mov edi, text_buffer
        call put_decimal
        mov esi, text_megabytes
        call copy_text
        mov byte [edi], 0
        mov esi, text_buffer
        mov edi, AT(ROW_TITLE + 2, COLUMN_RIGHT)
        mov ah, ATTR_DIM
        call draw_text
; The colour of the background is entry 1 of the DAC.
theme_show:
        mov eax, [theme]
        lea esi, [themes + eax + eax * 2]
        mov dx, 0x3c8
        mov al, 1
        out dx, al
        inc dx
        mov ecx, 3
        rep outsb
        ret

theme_next:
        mov eax, [theme]
        inc eax
        cmp eax, THEMES
        jb .store
        xor eax, eax
.store:
        mov [theme], eax
        jmp theme_show

; Frame and separating lines.
draw_frame:
        mov edi, SCREEN
        mov esi, .top
        call .line
        mov ebx, 1
.row:
        imul edi, ebx, 160
        add edi, SCREEN
        mov esi, .middle
        cmp byte [frame_rows + ebx], 0
        je .plain
        mov esi, .separator
.plain:
        call .line
        inc ebx
        cmp ebx, ROW_BOTTOM
        jb .row
        imul edi, ebx, 160
        add edi, SCREEN
        mov esi, .bottom
.line:                                  ; left, between, right
        mov ah, ATTR_FRAME
        mov al, [esi]
        stosw
        mov al, [esi + 1]
        mov ecx, 78
        rep stosw
        mov al, [esi + 2]
        stosw
        ret
.top:       db 0xc9, 0xcd, 0xbb
.middle:    db 0xba, 0x20, 0xba
.separator: db 0xc7, 0xc4, 0xb6
.bottom:    db 0xc8, 0xcd, 0xbc

; After each tick: counters, spinner, the running light.
screen_round:
        mov ecx, COUNT_WIDTH
        mov bh, ATTR_NUMBER
        mov eax, [ticks]
        mov edi, AT(ROW_TIMER, COLUMN_COUNT)
        call draw_number
        mov eax, [rtc_interrupts]
        mov edi, AT(ROW_CLOCK, COLUMN_COUNT)
        call draw_number
        mov eax, [serial_out]
        mov edi, AT(ROW_SERIAL, COLUMN_COUNT)
        call draw_number
        mov eax, [serial_in]
        mov edi, AT(ROW_SERIAL_IN, COLUMN_COUNT)
        call draw_number
        mov eax, [keys]
        mov edi, AT(ROW_KEYS, COLUMN_COUNT)
        call draw_number
        mov eax, [vga_checks]
        mov edi, AT(ROW_VGA, COLUMN_COUNT)
        call draw_number
        mov eax, [mmu_checks]
        mov edi, AT(ROW_MMU, COLUMN_COUNT)
        call draw_number
        mov eax, [cpu_checks]
        mov edi, AT(ROW_CPU, COLUMN_COUNT)
        call draw_number

        mov ecx, TROUBLE_WIDTH
        mov eax, [rtc_missed]
        mov edi, AT(ROW_CLOCK, COLUMN_TROUBLE)
        call draw_trouble
        mov eax, [serial_errors]
        mov edi, AT(ROW_SERIAL_IN, COLUMN_TROUBLE)
        call draw_trouble
        mov eax, [vga_wrong]
        mov edi, AT(ROW_VGA, COLUMN_TROUBLE)
        call draw_trouble
        mov eax, [mmu_wrong]
        mov edi, AT(ROW_MMU, COLUMN_TROUBLE)
        call draw_trouble
        mov eax, [cpu_wrong]
        mov edi, AT(ROW_CPU, COLUMN_TROUBLE)
        call draw_trouble
        mov eax, [gap_longest]
        cmp eax, [gap_before]
        jae .gap
        mov eax, [gap_before]
.gap:
        xor edx, edx
        mov ebx, 1000
        div ebx
        mov bh, ATTR_GOOD
        mov edi, AT(ROW_TIMER, COLUMN_TROUBLE)
        call draw_number

        mov eax, [ticks]
        shr eax, 4
        and eax, 3
        mov al, [.spinner + eax]
        mov ah, ATTR_TITLE
        mov [AT(ROW_TITLE + 1, 76)], ax
        test byte [ticks], 7
        jnz .done
; A light runs along the backplane, below the cards.
        mov eax, [runner]
        mov edi, AT(ROW_TITLE + 2, COLUMN_LOGO)
        mov word [edi + eax * 2], (ATTR_BOARD << 8) | 0xdf
        inc eax
        cmp eax, LOGO_WIDTH
        jb .inside
        xor eax, eax
.inside:
        mov [runner], eax
        mov word [edi + eax * 2], (ATTR_LIGHT << 8) | 0xdf
.done:
        ret
.spinner:   db "|/-\"

; After each second: the clock and the time that the guest is up. A gap of the timer is forgotten after a while.
screen_second:
        test byte [seconds], GAP_PERIOD - 1
        jnz .clock
        xor eax, eax
        xchg eax, [gap_longest]
        mov [gap_before], eax
.clock:
        mov edi, text_buffer
        mov al, [rtc_time + 6]
        call put_bcd
        mov al, [rtc_time + 5]
        call put_bcd
        mov al, '-'
        stosb
        mov al, [rtc_time + 4]
        call put_bcd
        mov al, '-'
        stosb
        mov al, [rtc_time + 3]
        call put_bcd
        mov ax, '  '
        stosw
        mov al, [rtc_time + 2]
        call put_bcd
        mov al, ':'
        stosb
        mov al, [rtc_time + 1]
        call put_bcd
        mov al, ':'
        stosb
        mov al, [rtc_time]
        call put_bcd
        mov byte [edi], 0
        mov esi, text_buffer
        mov edi, AT(ROW_TITLE, COLUMN_RIGHT)
        mov ah, ATTR_TITLE
        call draw_text
        mov edi, text_buffer
        mov esi, text_up
        call copy_text
        call put_uptime
        mov byte [edi], 0
        mov esi, text_buffer
        mov edi, AT(ROW_TITLE + 1, COLUMN_RIGHT)
        mov ah, ATTR_TEXT
        jmp draw_text

; Puts the seconds since the start as h:mm:ss.
put_uptime:
        mov eax, [seconds]
        xor edx, edx
        mov ebx, 60
        div ebx
        push edx
        xor edx, edx
        div ebx
        push edx
        cmp eax, 10
        jae .hours
        mov byte [edi], '0'
        inc edi
.hours:
        call put_decimal
        mov al, ':'
        stosb
        pop eax
        call put_two
        mov al, ':'
        stosb
        pop eax
        jmp put_two

; Shows character AL as typed: on row EDX, at the column in [EBX], which moves on. Backspace takes one away; a full or ended line
; begins anew.
draw_typed:
        imul edx, edx, 160
        add edx, SCREEN
        mov ecx, [ebx]
        mov word [edx + ecx * 2], (ATTR_TYPED << 8) | ' '
        cmp al, 8
        je .back
        cmp al, 13
        je .clear
        cmp al, ' '
        jb .cursor
        mov ah, ATTR_TYPED
        mov [edx + ecx * 2], ax
        inc ecx
        cmp ecx, INPUT_END
        jb .cursor
.clear:
        mov ecx, INPUT_END
.blank:
        dec ecx
        mov word [edx + ecx * 2], (ATTR_TYPED << 8) | ' '
        cmp ecx, INPUT_COLUMN
        ja .blank
        jmp .cursor
.back:
        cmp ecx, INPUT_COLUMN
        je .cursor
        dec ecx
.cursor:
        mov word [edx + ecx * 2], (ATTR_TYPED << 8) | 0xdc
        mov [ebx], ecx
        ret
