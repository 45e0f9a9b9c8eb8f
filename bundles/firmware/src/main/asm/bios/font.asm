; Fonts: the character generator's memory (plane 2), the pointers of graphics modes, int 10h AH=11h, and the fonts themselves.

; The processor sees plane 2 at A0000, and nothing else.
font_open:
        push ax
        push dx
        mov dx, 0x3c4
        mov ax, 0x0402
        out dx, ax
        mov ax, 0x0704
        out dx, ax
        mov dx, 0x3ce
        mov ax, 0x0005
        out dx, ax
        mov ax, 0x0406
        out dx, ax
        mov ax, 0x0204
        out dx, ax
        pop dx
        pop ax
        ret

; It sees the text at B8000 again.
font_close:
        push ax
        push dx
        mov dx, 0x3c4
        mov ax, 0x0302
        out dx, ax
        mov ax, 0x0304
        out dx, ax
        mov dx, 0x3ce
        mov ax, 0x1005
        out dx, ax
        mov ax, 0x0e06
        out dx, ax
        mov ax, 0x0004
        out dx, ax
        pop dx
        pop ax
        ret

; ZF set when block 0 of the character generator has our font already, as far as two characters tell.
font_present:
        pusha
        push es
        call font_open
        push VGA_GRAPHICS
        pop es
        mov si, font16 + 'B' * 16
        mov di, 'B' * 32
        call .compare
        jne .done
        mov si, font16 + 'q' * 16
        mov di, 'q' * 32
        call .compare
.done:
        call font_close                 ; keeps the flags
        pop es
        popa
        ret
.compare:
        mov cx, 16
.line:
        cs lodsb
        scasb
        loope .line
        ret

; Loads CX characters from number DX up, BH lines each, from ES:DI into block BL.
font_load:
        pusha
        push ds
        push es
        call font_open
        mov si, dx
        shl si, 5
        movzx ax, bl                    ; blocks 0 to 3 every 16 KiB, 4 to 7 between them
        test al, 4
        jz .even
        sub al, 4
        add si, 0x2000
.even:
        shl ax, 14
        add si, ax
        xchg si, di
        push es
        pop ds
        mov ax, VGA_GRAPHICS
        mov es, ax
        movzx dx, bh
        mov bx, 32
        sub bx, dx
.next:
        jcxz .done
        push cx
        mov cx, dx
        rep movsb
        add di, bx                      ; the lines below are not shown
        pop cx
        loop .next
.done:
        call font_close
        pop es
        pop ds
        popa
        ret

; AL: 00h-04h load, 10h-14h load and fit the rows to it, 20h-24h fonts of graphics modes, 30h information.
video_font:
        push fs
        call font_service
        pop fs
        ret

font_service:
        cmp al, 0x30
        je .information
        mov ah, al
        and ah, 0xf0
        and al, 0x0f
        cmp ah, 0x20
        je .pointer
        ja .done
        cmp al, 4
        ja .done
        cmp al, 3
        je .select
        mov di, [bp + F_EBP]            ; 00h: ES:BP, CX characters from DX, BH lines
        test al, al
        jz .load
        push ax
        mov di, font14
        mov bh, 14
        cmp al, 1
        je .ours
        mov di, font8
        mov bh, 8
        cmp al, 2
        je .ours
        mov di, font16
        mov bh, 16
.ours:
        pop ax
        push cs
        pop es
        mov cx, 256
        xor dx, dx
.load:
        call font_load
        cmp ah, 0x10
        jne .done
        jmp font_fit
.select:                                ; BL = which blocks
        mov dx, 0x3c4
        mov al, 3
        mov ah, bl
        out dx, ax
.done:
        ret
.pointer:                               ; 20h: ES:BP for characters 128 up of 8 lines; 21h: ES:BP, CX lines; 22h-24h ours
        push word 0
        pop fs
        mov di, [bp + F_EBP]
        cmp al, 0
        je .upper
        cmp al, 1
        je .rows
        push cs
        pop es
        mov di, font14
        mov cx, 14
        cmp al, 2
        je .rows
        mov di, font8
        mov cx, 8
        cmp al, 3
        je .rows
        mov di, font16
        mov cx, 16
.rows:
        mov [fs:0x43 * 4], di
        mov [fs:0x43 * 4 + 2], es
        mov [B_CHAR_HEIGHT], cx
        cmp bl, 3                       ; BL: 0 = DL rows, 1 to 3 = 14, 25, 43
        ja .done
        mov al, dl
        movzx bx, bl
        test bl, bl
        jz .row_count
        mov al, [cs:bx + .row_counts - 1]
.row_count:
        dec al
        mov [B_ROWS], al
        ret
.row_counts: db 14, 25, 43
.upper:
        mov [fs:0x1f * 4], di
        mov [fs:0x1f * 4 + 2], es
        ret
.information:                           ; BH: which; ES:BP = font, CX = lines on screen, DL = rows - 1
        mov ax, [B_CHAR_HEIGHT]
        mov [bp + F_CX], ax
        mov al, [B_ROWS]
        mov [bp + F_DL], al
        cmp bh, 7
        ja .done
        push word 0
        pop fs
        movzx si, bh
        cmp bh, 2
        jb .vector
        add si, si
        mov ax, [cs:si + .fonts - 4]
        mov [bp + F_EBP], ax
        mov [bp + F_ES], cs
        ret
.vector:
        mov ax, [fs:0x1f * 4]
        mov dx, [fs:0x1f * 4 + 2]
        cmp bh, 0
        je .give
        mov ax, [fs:0x43 * 4]
        mov dx, [fs:0x43 * 4 + 2]
.give:
        mov [bp + F_EBP], ax
        mov [bp + F_ES], dx
        ret
.fonts: dw font14, font8, font8 + 128 * 8, font_alternate, font16, font_alternate

; The CRTC shows characters of BH lines; as many rows as fit. Text modes.
font_fit:
        movzx cx, bh
        mov [B_CHAR_HEIGHT], cx
        mov dx, [B_CRTC]
        mov al, 9
        out dx, al
        inc dx
        in al, dx
        and al, 0xe0
        mov ah, bh
        dec ah
        or al, ah
        out dx, al
        dec dx
        mov ax, 400
        push dx
        xor dx, dx
        div cx
        pop dx
        mov bl, al                      ; rows
        dec al
        mov [B_ROWS], al
        movzx ax, bl
        mul cl
        dec ax                          ; last line shown
        mov ah, al
        mov al, 0x12
        out dx, ax
        mov al, bl
        mul byte [B_COLUMNS]
        add ax, ax
        add ax, 0x100
        mov [B_PAGE_SIZE], ax
        mov cx, 0x0607
        jmp video_cursor_shape

; Font of 16 lines, with the characters of code page 437; the others are made of it: 14 lines by leaving out the first and the
; last, 8 lines from a file of their own.
font_alternate:
        db 0
font16:
        incbin "font16.bin"
font14:
%assign c 0
%rep 256
        incbin "font16.bin", c * 16 + 1, 14
%assign c c + 1
%endrep
font8:
        incbin "font8.bin"

%macro FONT8_LOW 0
        incbin "font8.bin", 0, 128 * 8
%endmacro
