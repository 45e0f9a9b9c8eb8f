; Graphics modes: characters, pixels and scrolling in the planar modes (4 bits a pixel in 4 planes) and in mode 13h (a byte a pixel).

GC              equ 0x3ce

%macro GC_SET 2                         ; register, value. Changes AX, DX
        mov dx, GC
        mov ax, (%2 << 8) | %1
        out dx, ax
%endmacro

; The graphics controller as a mode leaves it.
graph_restore:
        push ax
        push dx
        GC_SET 0, 0
        GC_SET 1, 0
        GC_SET 3, 0
        GC_SET 5, 0
        GC_SET 8, 0xff
        pop dx
        pop ax
        ret

; ES:DI = first byte of the character at row DH, column DL; SI = bytes from line to line. Changes AX.
graph_address:
        mov ax, VGA_GRAPHICS
        mov es, ax
        push dx
        push dx
        movzx si, byte [B_COLUMNS]
        cmp byte [B_MODE], 0x13
        jne .planar
        mov si, 320
.planar:
        movzx ax, dh
        mul word [B_CHAR_HEIGHT]
        mul si
        mov di, ax
        pop dx
        movzx ax, dl
        cmp byte [B_MODE], 0x13
        jne .column
        shl ax, 3
.column:
        add di, ax
        pop dx
        ret

; AL = character, BL = colour (bit 7: XOR, in planar modes), CX times from row DH, column DL.
graph_write_chars:
        jcxz .done
        pusha
.next:
        call graph_draw
        inc dl
        cmp dl, [B_COLUMNS]
        jb .same_row
        xor dl, dl
        inc dh
        cmp dh, [B_ROWS]
        ja .over
.same_row:
        loop .next
.over:
        call graph_restore
        popa
.done:
        ret

; Draws AL in colour BL at row DH, column DL.
graph_draw:
        pusha
        push fs
        push ax
        call graph_address
        pop ax
        push word 0
        pop fs
        mov cx, [B_CHAR_HEIGHT]
        mul cl
        push bx
        les bx, [fs:0x43 * 4]           ; FS:BX = bitmap
        mov fs, [fs:0x43 * 4 + 2]
        add bx, ax
        pop ax                          ; AL = colour
        push word VGA_GRAPHICS
        pop es
        cmp byte [B_MODE], 0x13
        je .bytes

        mov dx, GC
        mov ah, al
        and ah, 0x0f
        push ax
        mov ax, 0x0f01                  ; set/reset in all planes
        out dx, ax
        pop ax
        test al, 0x80
        mov al, 0
        jz .opaque
        out dx, ax                      ; the colour, XOR
        mov ax, 0x1803
        out dx, ax
.xor_line:
        mov ah, [fs:bx]
        mov al, 8
        out dx, ax
        mov al, [es:di]                 ; latches
        mov [es:di], al
        inc bx
        add di, si
        loop .xor_line
        jmp .drawn
.opaque:
        push ax
        mov ax, 0x0000                  ; background: black in all bits
        out dx, ax
        mov ax, 0xff08
        out dx, ax
        mov [es:di], al
        pop ax
        out dx, ax                      ; then the colour where the bitmap is
        push ax
        mov ah, [fs:bx]
        mov al, 8
        out dx, ax
        mov al, [es:di]
        mov [es:di], al
        pop ax
        inc bx
        add di, si
        loop .opaque
        jmp .drawn

.bytes:                                 ; mode 13h: colour on black
        mov ah, [fs:bx]
        push cx
        push di
        mov cx, 8
.pixel:
        mov dl, 0
        add ah, ah
        jnc .black
        mov dl, al
.black:
        mov [es:di], dl
        inc di
        loop .pixel
        pop di
        pop cx
        inc bx
        add di, si
        loop .bytes
.drawn:
        pop fs
        popa
        ret

; AL = the character whose bitmap is at row DH, column DL; 0 when there is none.
graph_read_char:
        push fs
        sub sp, 16
        call graph_address
        mov cx, [B_CHAR_HEIGHT]
        cmp byte [B_MODE], 0x13
        je .gather
        GC_SET 5, 0x08                  ; read mode 1: bits of pixels with colour 0
        GC_SET 2, 0x00
        GC_SET 7, 0x0f
.gather:
        mov bx, sp
.line:
        cmp byte [B_MODE], 0x13
        je .bytes
        mov al, [es:di]
        not al
        jmp .have
.bytes:
        push di
        mov dx, 8
.pixel:
        cmp byte [es:di], 1             ; carry: background
        cmc
        rcl al, 1
        inc di
        dec dx
        jnz .pixel
        pop di
.have:
        mov [ss:bx], al
        inc bx
        add di, si
        loop .line
        cmp byte [B_MODE], 0x13
        je .search
        call graph_restore
.search:
        push word 0
        pop fs
        mov cx, [B_CHAR_HEIGHT]
        les di, [fs:0x43 * 4]
        xor ax, ax
        mov bx, sp
.candidate:
        push cx
        push di
        mov si, bx
        push ds
        push ss
        pop ds
        repe cmpsb
        pop ds
        pop di
        pop cx
        je .found
        add di, cx
        inc al
        jnz .candidate
.found:
        mov [bp + F_AX], ax
        add sp, 16
        pop fs
        ret

; AL = lines, AH = rows of the window, BH = colour, BL = 1 downwards, CX, DX = corners, inside the screen.
graph_scroll:
        pusha
        push bp
        cmp byte [B_MODE], 0x13
        je .plain
        push ax
        push dx
        GC_SET 5, 0x01                  ; write mode 1: all planes by the latches
        pop dx
        pop ax
.plain:
        mov bp, ax
        push bx
        push dx
        test bl, bl
        mov bx, dx
        mov dx, cx
        jz .top
        mov dh, bh                      ; downwards: from the last line up
.top:
        push bx
        call graph_address
        pop dx
        mov ax, dx
        movzx dx, al                    ; DX = width in bytes
        inc dx
        movzx ax, cl
        sub dx, ax
        cmp byte [B_MODE], 0x13
        jne .width
        shl dx, 3
.width:
        mov cx, dx
        pop dx
        pop bx
        test bl, bl
        jz .up
        push dx
        mov ax, [B_CHAR_HEIGHT]         ; last line of the row
        dec ax
        mul si
        add di, ax
        pop dx
        neg si
.up:
        mov dx, si                      ; DX = bytes from line to line
        mov ax, bp
        mov bl, al                      ; lines
        sub ah, al                      ; rows to move
        movzx ax, ah
        push dx
        mul word [B_CHAR_HEIGHT]
        pop dx
        mov bp, ax                      ; screen lines to move
        movzx ax, bl
        push dx
        mul word [B_CHAR_HEIGHT]
        pop dx
        push ax                         ; screen lines to blank
        imul ax, dx
        mov si, di
        add si, ax
        test bp, bp
        jz .blank
        push ds
        push es
        pop ds
.move:
        push cx
        push si
        push di
        rep movsb
        pop di
        pop si
        pop cx
        add si, dx
        add di, dx
        dec bp
        jnz .move
        pop ds
.blank:
        mov al, bh
        cmp byte [B_MODE], 0x13
        je .colour
        push dx
        GC_SET 5, 0x00
        mov ah, bh
        and ah, 0x0f
        mov al, 0
        out dx, ax
        mov ax, 0x0f01
        out dx, ax
        pop dx
.colour:
        pop bp
.row:
        push cx
        push di
        rep stosb
        pop di
        pop cx
        add di, dx
        dec bp
        jnz .row
        cmp byte [B_MODE], 0x13
        je .done
        call graph_restore
.done:
        pop bp
        popa
        ret

; ES:DI = byte of the pixel CX, DX; AH = its bit in planar modes.
pixel_address:
        push dx
        push cx
        movzx ax, byte [B_COLUMNS]
        cmp byte [B_MODE], 0x13
        jne .planar
        mov ax, 320
        mul dx
        mov di, ax
        add di, cx
        jmp .found
.planar:
        mul dx
        mov di, ax
        mov ax, cx
        shr ax, 3
        add di, ax
        and cl, 7
        mov ah, 0x80
        shr ah, cl
.found:
        pop cx
        pop dx
        push VGA_GRAPHICS
        pop es
        ret

; AL = colour (bit 7: XOR, in planar modes), CX = column, DX = row.
video_write_pixel:
        cmp byte [B_MODE], 3
        jbe .done
        mov bl, al
        call pixel_address
        cmp byte [B_MODE], 0x13
        je .byte
        mov bh, ah
        mov dx, GC
        mov ah, bl
        and ah, 0x0f
        mov al, 0
        out dx, ax
        mov ax, 0x0f01
        out dx, ax
        mov ax, 0x0003
        test bl, 0x80
        jz .set
        mov ah, 0x18
.set:
        out dx, ax
        mov ah, bh
        mov al, 8
        out dx, ax
        mov al, [es:di]
        mov [es:di], al
        jmp graph_restore
.byte:
        mov [es:di], bl
.done:
        ret

video_read_pixel:
        cmp byte [B_MODE], 3
        jbe .done
        call pixel_address
        cmp byte [B_MODE], 0x13
        je .byte
        mov bh, ah
        mov dx, GC
        mov cx, 4
        mov bl, 0
        mov ax, 0x0304                  ; planes 3 to 0
.plane:
        out dx, ax
        test [es:di], bh
        jz .clear
        stc
        jmp .bit
.clear:
        clc
.bit:
        rcl bl, 1
        dec ah
        loop .plane
        mov ax, 0x0004
        out dx, ax
        mov [bp + F_AL], bl
        ret
.byte:
        mov al, [es:di]
        mov [bp + F_AL], al
.done:
        ret
