; Characters: write, read, scroll, teletype, strings. In graphics modes vgraph.asm draws them.

VGA_TEXT        equ 0xb800
VGA_GRAPHICS    equ 0xa000

; ES:DI = character of page BH at row DH, column DL (text modes). Changes AX.
text_address:
        push dx
        movzx ax, bh
        and al, 7
        push bx
        mov bx, dx
        mul word [B_PAGE_SIZE]
        mov di, ax
        mov al, bh
        mul byte [B_COLUMNS]
        mov bh, 0
        add ax, bx
        add ax, ax
        add di, ax
        mov ax, VGA_TEXT
        mov es, ax
        pop bx
        pop dx
        ret

; ZF clear in a graphics mode (above). Keeps everything else.
%macro GRAPHICS_TO 1
        cmp byte [B_MODE], 3
        ja %1
%endmacro

; AL = character, AH = attribute at the cursor of page BH.
video_read_char:
        call page_cursor
        GRAPHICS_TO graph_read_char
        call text_address
        mov ax, [es:di]
        mov [bp + F_AX], ax
        ret

; AL = character, BL = attribute, BH = page, CX times; the cursor stays.
video_write_char_attr:
        call page_cursor
        GRAPHICS_TO graph_write_chars
        push ax
        call text_address
        pop ax
        mov ah, bl
        rep stosw
        ret

; The same with the attributes that are there.
video_write_char:
        call page_cursor
        GRAPHICS_TO graph_write_chars
        push ax
        call text_address
        pop ax
        jcxz .done
.next:
        stosb
        inc di
        loop .next
.done:
        ret

; AL = lines (0: clear), BH = attribute of new lines, CX, DX = corners.
video_scroll_up:
        mov ah, 0
        jmp scroll
video_scroll_down:
        mov ah, 1
; AH = 0 up, 1 down; on the shown page.
scroll:
        mov bl, ah
        cmp dl, [B_COLUMNS]
        jb .columns
        mov dl, [B_COLUMNS]
        dec dl
.columns:
        cmp dh, [B_ROWS]
        jbe .rows
        mov dh, [B_ROWS]
.rows:
        cmp cl, dl
        ja .done
        cmp ch, dh
        ja .done
        mov ah, dh                      ; rows of the window
        sub ah, ch
        inc ah
        test al, al
        jz .all
        cmp al, ah
        jbe .some
.all:
        mov al, ah
.some:
        GRAPHICS_TO graph_scroll
        ; AL = lines to move by, AH = rows, BH = attribute, BL = direction
        push bp
        movzx bp, byte [B_COLUMNS]
        add bp, bp                      ; bytes from row to row
        push ax
        push bx
        mov bh, [B_PAGE]
        test bl, bl
        jz .top
        mov ch, dh                      ; downwards: from the last row
.top:
        mov si, dx                      ; columns
        mov dx, cx
        call text_address
        mov dx, si
        pop bx
        pop ax
        test bl, bl
        jz .step
        neg bp
.step:
        movzx si, dl
        inc si
        movzx cx, cl
        sub si, cx                      ; width
        mov cx, si
        push ds
        push es
        pop ds
        movzx si, al
        imul si, bp
        add si, di
        sub ah, al                      ; rows that are moved
        jz .blank
.move:
        push cx
        push si
        push di
        rep movsw
        pop di
        pop si
        pop cx
        add si, bp
        add di, bp
        dec ah
        jnz .move
.blank:
        mov bl, al
        mov ah, bh
        mov al, ' '
.row:
        push cx
        push di
        rep stosw
        pop di
        pop cx
        add di, bp
        dec bl
        jnz .row
        pop ds
        pop bp
.done:
        ret

; AL = character, BL = colour in graphics modes; on the shown page.
video_teletype:
        mov bh, [B_PAGE]
        clc
; Writes AL as a terminal would, on page BH with colour BL, and moves the cursor. With carry, BL is also the attribute in text modes.
teletype:
        pushf
        call page_cursor
        cmp al, 13
        je .return
        cmp al, 10
        je .line
        cmp al, 8
        je .back
        cmp al, 7
        je .bell
        mov cx, 1
        popf
        pushf
        push bx
        push dx
        jc .attribute
        call video_write_char
        jmp .written
.attribute:
        call video_write_char_attr
.written:
        pop dx
        pop bx
        inc dl
        cmp dl, [B_COLUMNS]
        jb .move
        xor dl, dl
.line:
        inc dh
        cmp dh, [B_ROWS]
        jbe .move
        mov dh, [B_ROWS]
        push bx
        push dx
        mov al, bh
        call cursor_set
        call .blank_attribute
        mov al, 1
        xor cx, cx
        mov dl, [B_COLUMNS]
        dec dl
        call video_scroll_up
        pop dx
        pop bx
.move:
        popf
        mov al, bh
        jmp cursor_set
.return:
        xor dl, dl
        jmp .move
.back:
        test dl, dl
        jz .move
        dec dl
        jmp .move
.bell:
        call beep
        jmp .move
.blank_attribute:                       ; BH = attribute at the cursor, 0 in graphics modes
        cmp byte [B_MODE], 3
        mov al, 0
        ja .attribute_known
        push dx
        dec dh
        call text_address
        pop dx
        mov al, [es:di + 1]
.attribute_known:
        mov bh, al
        ret

; A short tone: two ticks, or what a bounded loop takes where the timer stands still.
beep:
        pusha
        in al, 0x61
        or al, 3
        out 0x61, al
        mov bx, [B_TICKS]
        mov cx, 0xffff
.wait:
        mov ax, [B_TICKS]
        sub ax, bx
        cmp ax, 2
        jae .off
        in al, 0x61
        loop .wait
.off:
        in al, 0x61
        and al, 0xfc
        out 0x61, al
        popa
        ret

; ES:BP = CX characters, at DX of page BH with attribute BL. AL bit 0: the cursor goes along; bit 1: the string has attributes.
video_write_string:
        jcxz .done
        call page_cursor
        push dx                         ; where the cursor was
        push bx
        mov dx, [bp + F_DX]
        mov al, bh
        and al, 7
        call cursor_set
        pop bx
        mov si, [bp + F_EBP]
.next:
        mov es, [bp + F_ES]
        mov al, [es:si]
        inc si
        test byte [bp + F_AL], 2
        jz .have_attribute
        mov bl, [es:si]
        inc si
.have_attribute:
        push cx
        push si
        push bx
        stc
        call teletype
        pop bx
        pop si
        pop cx
        loop .next
        pop dx
        test byte [bp + F_AL], 1
        jnz .done
        mov al, bh
        and al, 7
        call cursor_set
.done:
        ret
