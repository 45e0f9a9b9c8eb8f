; Video (int 10h): dispatch, cursor, pages and what there is to ask. Modes are in vmode.asm, characters in vtext.asm,
; graphics in vgraph.asm, colours in vpalette.asm, fonts in font.asm.

int_10:
        SERVICE_ENTER
        sti
        DISPATCH int_10_table, 0x1d, .done
.done:
        SERVICE_LEAVE

int_10_table:
        dw video_set_mode, video_cursor_shape, video_set_cursor, video_get_cursor
        dw video_light_pen, video_set_page, video_scroll_up, video_scroll_down
        dw video_read_char, video_write_char_attr, video_write_char, video_cga_palette
        dw video_write_pixel, video_read_pixel, video_teletype, video_get_mode
        dw video_palette, video_font, video_select, video_write_string
        dw video_none, video_none, video_none, video_none
        dw video_none, video_none, video_display_code, video_state, video_none
        dw video_none

; Saving of the state (1Ch), VESA (4Fh) and others: registers stay as they are, which says so.
video_none:
        ret

video_light_pen:
        mov byte [bp + F_AH], 0         ; not triggered
        ret

video_get_mode:
        mov al, [B_VIDEO_CTL]
        and al, 0x80
        or al, [B_MODE]
        mov ah, [B_COLUMNS]
        mov [bp + F_AX], ax
        mov al, [B_PAGE]
        mov [bp + F_BH], al
        ret

; CH, CL = first and last line. Old values for 8 lines a character are scaled to the font.
video_cursor_shape:
        mov [B_CURSOR_SHAPE], cx
        mov bx, cx
        test byte [B_VIDEO_CTL], 1      ; no emulation
        jnz .set
        test ch, 0x20
        jnz .set
        cmp ch, 8
        jae .set
        cmp cl, 8
        jae .set
        mov dl, [B_CHAR_HEIGHT]
        cmp dl, 8
        jbe .set
        cmp cl, 6                       ; lines 6 and 7 are the underline: the last but one of the font and its neighbour
        jb .scale
        mov bl, dl
        sub bl, 2
        cmp ch, 6
        jb .start
        mov bh, bl
        dec bh
        jmp .set
.scale:
        mov al, dl
        mul cl
        shr ax, 3
        mov bl, al
.start:
        mov al, dl
        mul ch
        shr ax, 3
        mov bh, al
.set:
        mov al, 0x0a
        mov ah, bh
        call crtc_write
        mov al, 0x0b
        mov ah, bl

; Register AL of the CRTC = AH. Keeps everything.
crtc_write:
        push dx
        mov dx, [B_CRTC]
        out dx, ax
        pop dx
        ret

; BH = page, DX = row and column.
video_set_cursor:
        mov al, bh
        and al, 7
; The same for page AL.
cursor_set:
        movzx si, al
        add si, si
        mov [si + B_CURSOR], dx
        cmp al, [B_PAGE]
        je cursor_show
        ret

; Puts the hardware cursor where the shown page has it.
cursor_show:
        pusha
        movzx si, byte [B_PAGE]
        add si, si
        mov dx, [si + B_CURSOR]
        mov al, dh
        mul byte [B_COLUMNS]
        movzx bx, dl
        add bx, ax
        mov ax, [B_PAGE_START]
        shr ax, 1
        cmp byte [B_MODE], 3
        ja .done                        ; graphics modes have none
        add bx, ax
        mov al, 0x0e
        mov ah, bh
        call crtc_write
        mov al, 0x0f
        mov ah, bl
        call crtc_write
.done:
        popa
        ret

video_get_cursor:
        call page_cursor
        mov [bp + F_DX], dx
        mov ax, [B_CURSOR_SHAPE]
        mov [bp + F_CX], ax
        ret

; DX = cursor of page BH. Changes SI.
page_cursor:
        movzx si, bh
        and si, 7
        add si, si
        mov dx, [si + B_CURSOR]
        ret

; AL = page.
video_set_page:
        and al, 7
        mov [B_PAGE], al
        movzx cx, al
        mov ax, [B_PAGE_SIZE]
        mul cx
        mov [B_PAGE_START], ax
        mov bx, ax
        cmp byte [B_MODE], 3
        ja .start
        shr bx, 1                       ; text: the CRTC counts characters
.start:
        mov al, 0x0c
        mov ah, bh
        call crtc_write
        mov al, 0x0d
        mov ah, bl
        call crtc_write
        jmp cursor_show

; BL: 10h information, 30h lines, 31h default palette, 32h access, 33h grey, 34h cursor, 36h refresh.
video_select:
        cmp bl, 0x10
        je .information
        cmp bl, 0x30
        je .lines
        cmp bl, 0x31
        je .palette
        cmp bl, 0x33
        je .ok                          ; this display shows colours
        cmp bl, 0x34
        je .cursor
        ret
.information:
        mov word [bp + F_BX], 0x0003    ; colour, 256 KiB
        mov cl, [B_VIDEO_SWITCH]
        and cl, 0x0f
        mov ch, 0
        mov [bp + F_CX], cx
        ret
.lines:                                 ; AL: 0, 1, 2 = 200, 350, 400 lines in text modes; these have 400
        cmp al, 2
        je .ok
        mov byte [bp + F_AL], 0
        ret
.palette:
        and al, 1
        shl al, 3
        mov ah, [B_VIDEO_FLAGS]
        and ah, 0xf7
        or al, ah
        mov [B_VIDEO_FLAGS], al
        jmp .ok
.cursor:
        and al, 1
        mov ah, [B_VIDEO_CTL]
        and ah, 0xfe
        or al, ah
        mov [B_VIDEO_CTL], al
.ok:
        mov byte [bp + F_AL], 0x12
        ret

; AL = 0 read, 1 write: the display's code, 8 = VGA with colour.
video_display_code:
        cmp al, 1
        ja .done
        je .set
        mov bl, [B_DCC]
        mov bh, 0
        mov [bp + F_BX], bx
        jmp .ok
.set:
        mov [B_DCC], bl
.ok:
        mov byte [bp + F_AL], 0x1a
.done:
        ret

; BX = 0: 64 bytes about the state at ES:DI.
video_state:
        test bx, bx
        jnz .done
        mov ax, state_static
        stosw
        mov ax, cs
        stosw
        mov si, B_MODE                  ; 30 bytes of the data area
        mov cx, 30
        rep movsb
        mov al, [B_ROWS]
        inc al
        stosb
        mov ax, [B_CHAR_HEIGHT]
        stosw
        mov al, [B_DCC]
        mov ah, 0
        stosw
        mov ax, 16                      ; colours
        cmp byte [B_MODE], 0x13
        jne .colours
        mov ax, 256
.colours:
        stosw
        mov al, 8                       ; pages
        cmp byte [B_MODE], 3
        jbe .pages
        mov al, 1
.pages:
        stosb
        mov al, 2                       ; lines: 400, 350 are 1, 480 are 3
        cmp byte [B_MODE], 0x10
        jb .lines
        mov al, 3
        cmp byte [B_MODE], 0x12
        jbe .lines
        mov al, 0
.lines:
        stosb
        xor ax, ax                      ; character blocks
        stosw
        mov al, 0x21                    ; cursor emulation, all modes on all displays
        stosb
        xor al, al
        mov cx, 3
        rep stosb
        mov al, 3                       ; 256 KiB
        stosb
        xor al, al
        mov cx, 14
        rep stosb
        mov byte [bp + F_AL], 0x1b
.done:
        ret

state_static:                           ; modes, lines, fonts, services
        db 0x0f, 0x60, 0x0f, 0, 0, 0, 0
        db 0x07, 2, 8, 0xff, 0x0e, 0, 0, 0, 0
