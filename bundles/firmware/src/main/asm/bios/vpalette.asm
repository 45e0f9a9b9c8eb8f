; Colours: default palettes, the attribute registers and the DAC (int 10h AH=0Bh, 10h).

; Default palette of the mode at CS:SI. Keeps SI.
palette_default:
        pusha
        mov bl, [cs:si + M_PALETTE]
        mov dx, 0x3c8
        xor al, al
        out dx, al
        inc dx
        xor cx, cx                      ; CL = number of the colour
        cmp bl, 2
        je .many
.next:
        cmp bl, 0
        je .ega
        call dac_cga
        jmp .count
.ega:
        call dac_ega
.count:
        inc cl
        cmp cl, 64
        jb .next
        jmp .done
.many:
        call dac_256
.done:
        popa
        ret

; Sends red (AL bits 2, 1, 0 = red, green, blue of 2/3) of colour CL: bits 5, 4, 3 add 1/3.
dac_ega:
        mov ah, cl
        mov ch, 3
.next:
        xor al, al
        test ah, 0x04
        jz .no_strong
        mov al, 0x2a
.no_strong:
        test ah, 0x20
        jz .no_weak
        add al, 0x15
.no_weak:
        out dx, al
        add ah, ah
        dec ch
        jnz .next
        ret

; The 16 colours of the CGA: bit 4 (as the modes of 200 lines number them) is intensity. Brown is not dark yellow.
dac_cga:
        mov bh, 0
        test cl, 0x10
        jz .dim
        mov bh, 0x15
.dim:
        mov ah, cl
        and ah, 7
        cmp ah, 6
        je .brown
.colour:
        mov ch, 3
.next:
        mov al, bh
        test ah, 0x04
        jz .off
        add al, 0x2a
.off:
        out dx, al
        add ah, ah
        dec ch
        jnz .next
        ret
.brown:
        test bh, bh
        jnz .colour
        mov al, 0x2a
        out dx, al
        shr al, 1
        out dx, al
        xor al, al
        out dx, al
        ret

; Mode 13h: the 16 colours, 16 greys, and 24 hues in 3 saturations of 3 intensities; the rest is black.
dac_256:
        xor cl, cl
.cga:
        mov ch, cl
        test cl, 8
        jz .dim
        or cl, 0x10
.dim:
        push cx
        call dac_cga
        pop cx
        mov cl, ch
        inc cl
        cmp cl, 16
        jb .cga
        mov si, .greys
        mov cx, 16
.grey:
        cs lodsb
        out dx, al
        out dx, al
        out dx, al
        loop .grey
        mov si, .levels
        mov cx, 9
.group:
        xor bx, bx                      ; hue * 3 + component
.component:
        mov al, [cs:bx + .hues]
        push si
        movzx di, al
        add si, di
        mov al, [cs:si]
        pop si
        out dx, al
        inc bx
        cmp bx, 72
        jb .component
        add si, 5
        loop .group
        mov cx, 8 * 3
        xor al, al
.rest:
        out dx, al
        loop .rest
        ret

.greys: db 0x00, 0x05, 0x08, 0x0b, 0x0e, 0x11, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x2d, 0x32, 0x38, 0x3f
.levels:                                ; five steps from dark to bright
        db 0x00, 0x10, 0x1f, 0x2f, 0x3f
        db 0x1f, 0x27, 0x2f, 0x37, 0x3f
        db 0x2d, 0x31, 0x36, 0x3a, 0x3f
        db 0x00, 0x07, 0x0e, 0x15, 0x1c
        db 0x0e, 0x11, 0x15, 0x18, 0x1c
        db 0x14, 0x16, 0x18, 0x1a, 0x1c
        db 0x00, 0x04, 0x08, 0x0c, 0x10
        db 0x08, 0x0a, 0x0c, 0x0e, 0x10
        db 0x0b, 0x0c, 0x0d, 0x0f, 0x10
.hues:                                  ; red, green, blue as steps: blue, magenta, red, yellow, green, cyan, and between
        db 0, 0, 4, 1, 0, 4, 2, 0, 4, 3, 0, 4, 4, 0, 4, 4, 0, 3, 4, 0, 2, 4, 0, 1
        db 4, 0, 0, 4, 1, 0, 4, 2, 0, 4, 3, 0, 4, 4, 0, 3, 4, 0, 2, 4, 0, 1, 4, 0
        db 0, 4, 0, 0, 4, 1, 0, 4, 2, 0, 4, 3, 0, 4, 4, 0, 3, 4, 0, 2, 4, 0, 1, 4

; ---- Attribute controller -------------------------------------------------------------------------------------------

; Register BL = BH.
attribute_write:
        push ax
        push dx
        mov dx, 0x3da
        in al, dx
        mov dx, 0x3c0
        mov al, bl
        out dx, al
        mov al, bh
        out dx, al
        mov al, 0x20
        out dx, al
        pop dx
        pop ax
        ret

; AL = register BL.
attribute_read:
        push dx
        mov dx, 0x3da
        in al, dx
        mov dx, 0x3c0
        mov al, bl
        out dx, al
        inc dx
        in al, dx
        push ax
        mov dx, 0x3da
        in al, dx
        mov dx, 0x3c0
        mov al, 0x20
        out dx, al
        pop ax
        pop dx
        ret

; BH = 0: BL = border (text) or background; BH = 1: palettes of CGA modes, which are not there.
video_cga_palette:
        test bh, bh
        jnz .done
        mov bh, bl
        and bh, 0x1f
        mov [B_BORDER], bh
        mov bl, 0x11
        cmp byte [B_MODE], 3
        jbe .border
        mov bl, 0
.border:
        jmp attribute_write
.done:
        ret

; ---- int 10h AH=10h --------------------------------------------------------------------------------------------------
video_palette:
        movzx si, al
        cmp al, 0x1c
        jae .done
        add si, si
        call [cs:si + .table]
.done:
        ret
.table:
        dw attribute_write, .border, .set_all, .blink
        dw .none, .none, .none, .get
        dw .get_border, .get_all, .none, .none
        dw .none, .none, .none, .none
        dw .dac_set, .none, .dac_set_block, .dac_page
        dw .none, .dac_get, .none, .dac_get_block
        dw .mask_set, .mask_get, .dac_get_page, .grey
.none:
        ret
.border:
        mov bl, 0x11
        jmp attribute_write
.set_all:                               ; ES:DX = 17 values
        mov si, dx
        mov cx, 17
        mov bl, 0
.set_next:
        mov bh, [es:si]
        cmp cl, 1
        jne .set_it
        mov bl, 0x11
.set_it:
        call attribute_write
        inc bl
        inc si
        loop .set_next
        ret
.blink:                                 ; BL = 1 blinking, 0 bright backgrounds
        mov cl, bl
        mov bl, 0x10
        call attribute_read
        and al, 0xf7
        and cl, 1
        shl cl, 3
        or al, cl
        mov bh, al
        jmp attribute_write
.get_border:
        mov bl, 0x11
.get:
        call attribute_read
        mov [bp + F_BH], al
        ret
.get_all:
        mov di, dx
        mov cx, 17
        mov bl, 0
.get_next:
        cmp cl, 1
        jne .get_it
        mov bl, 0x11
.get_it:
        call attribute_read
        stosb
        inc bl
        loop .get_next
        ret
.dac_set:                               ; BX = register, DH, CH, CL = red, green, blue
        mov ah, dh
        mov dx, 0x3c8
        mov al, bl
        out dx, al
        inc dx
        mov al, ah
        out dx, al
        mov al, ch
        out dx, al
        mov al, cl
        out dx, al
        ret
.dac_set_block:                         ; BX = first, CX = count, ES:DX
        mov si, dx
        mov dx, 0x3c8
        mov al, bl
        out dx, al
        inc dx
        imul cx, cx, 3
        jcxz .none
        push ds
        push es
        pop ds
.dac_out:
        lodsb
        out dx, al
        loop .dac_out
        pop ds
        ret
.dac_get:
        mov dx, 0x3c7
        mov al, bl
        out dx, al
        mov dx, 0x3c9
        in al, dx
        mov [bp + F_DH], al
        in al, dx
        mov [bp + F_CH], al
        in al, dx
        mov [bp + F_CL], al
        ret
.dac_get_block:
        mov di, dx
        mov dx, 0x3c7
        mov al, bl
        out dx, al
        mov dx, 0x3c9
        imul cx, cx, 3
        jcxz .none2
.dac_in:
        in al, dx
        stosb
        loop .dac_in
.none2:
        ret
.dac_page:                              ; BL = 0: BH = paging mode, 1: BH = page
        mov cx, bx
        mov bl, 0x10
        call attribute_read
        test cl, cl
        jnz .page
        and al, 0x7f
        and ch, 1
        ror ch, 1
        or al, ch
        mov bh, al
        jmp attribute_write
.page:
        test al, 0x80
        mov bh, ch
        jnz .page16
        shl bh, 2
.page16:
        and bh, 0x0f
        mov bl, 0x14
        jmp attribute_write
.dac_get_page:
        mov bl, 0x10
        call attribute_read
        mov cl, al
        mov bl, 0x14
        call attribute_read
        test cl, 0x80
        jnz .get_page16
        shr al, 2
.get_page16:
        shr cl, 7
        mov [bp + F_BL], cl
        mov [bp + F_BH], al
        ret
.mask_set:
        mov dx, 0x3c6
        mov al, bl
        out dx, al
        ret
.mask_get:
        mov dx, 0x3c6
        in al, dx
        mov [bp + F_BL], al
        ret
.grey:                                  ; BX = first, CX = count: 30% red, 59% green, 11% blue
        jcxz .none2
.grey_next:
        push cx
        mov dx, 0x3c7
        mov al, bl
        out dx, al
        mov dx, 0x3c9
        in al, dx
        mov ah, 77
        mul ah
        mov si, ax
        in al, dx
        mov ah, 151
        mul ah
        add si, ax
        in al, dx
        mov ah, 28
        mul ah
        add si, ax
        mov dx, 0x3c8
        mov al, bl
        out dx, al
        inc dx
        mov ax, si
        mov al, ah
        out dx, al
        out dx, al
        out dx, al
        inc bl
        pop cx
        loop .grey_next
        ret
