; Keyboard: IRQ 1 (int 09h) turns scan codes into key words in the buffer of the data area, int 16h takes them out.
; A key word is scan code * 256 + character. Keys of the 101-key keyboard that the first PC lacked carry E0h as their
; character (or, for Enter and / of the keypad, as their scan code); functions 00h and 01h hide that from old programs.

SHIFT_RIGHT     equ 0x01
SHIFT_LEFT      equ 0x02
SHIFT_CTRL      equ 0x04
SHIFT_ALT       equ 0x08
SHIFT_SCROLL    equ 0x10
SHIFT_NUM       equ 0x20
SHIFT_CAPS      equ 0x40
SHIFT_INSERT    equ 0x80

; ---- IRQ 1 --------------------------------------------------------------------------------------------------------
int_09:
        push ds
        push es
        pushad
        cld
        push word BDA
        pop ds
        in al, KBC_CTL
        test al, 1
        jz .done
        in al, KBC_DATA
        cmp al, 0xfa
        je .ack
        mov ah, 0x4f                    ; a program may change or swallow the code
        stc
        int 0x15
        jnc .done
        call kbd_scan_code
.done:
        EOI_MASTER
        popad
        pop es
        pop ds
        iret
.ack:
        call kbd_lamps_ack
        jmp .done

; One scan code in AL.
kbd_scan_code:
        cmp al, 0xe0
        je .e0
        cmp al, 0xe1
        je .e1
        mov dl, [B_KBD_MODE]
        and byte [B_KBD_MODE], 0xfc
        test dl, 1
        jnz kbd_pause
        cmp al, 0xaa                    ; E0 2A and E0 AA are fake shifts
        je .fake
        cmp al, 0x2a
        jne .real
.fake:
        test dl, 2
        jnz .none
.real:
        mov ah, al
        and al, 0x7f
        mov si, shift_keys
.shift:
        cmp al, [cs:si]
        je kbd_shift_key
        add si, 2
        cmp si, shift_keys_end
        jb .shift
        test ah, 0x80
        jnz kbd_release
        jmp kbd_press
.e0:
        or byte [B_KBD_MODE], 2
.none:
        ret
.e1:
        or byte [B_KBD_MODE], 1
        ret

; Pause sends E1 1D 45 E1 9D C5: stop at 45, until any key.
kbd_pause:
        cmp al, 0x1d
        je .more
        cmp al, 0x9d
        je .more
        cmp al, 0x45
        jne .done
        test byte [B_SHIFT2], 0x08
        jnz .done
        or byte [B_SHIFT2], 0x08
        EOI_MASTER
        sti
.wait:
        hlt
        test byte [B_SHIFT2], 0x08
        jnz .wait
        cli
.done:
        ret
.more:
        or byte [B_KBD_MODE], 1
        ret

; Scan code, flag. Lock keys have the flag of their state.
shift_keys:
        db 0x36, SHIFT_RIGHT, 0x2a, SHIFT_LEFT, 0x1d, SHIFT_CTRL, 0x38, SHIFT_ALT
        db 0x46, SHIFT_SCROLL, 0x45, SHIFT_NUM, 0x3a, SHIFT_CAPS
shift_keys_end:

; AL = code, AH = with the release bit, CS:SI = its entry, DL = keyboard mode as it was.
kbd_shift_key:
        mov bl, [cs:si + 1]
        cmp bl, SHIFT_SCROLL
        jae kbd_lock_key
        cmp bl, SHIFT_CTRL
        jae .sided
        test ah, 0x80
        jnz .shift_up
        or [B_SHIFT], bl
        ret
.shift_up:
        not bl
        and [B_SHIFT], bl
        ret
.sided:                                 ; Ctrl and Alt: left in flags 2 (bits 0, 1), right in the mode (bits 2, 3)
        mov cl, bl
        shr cl, 2                       ; 1 or 2
        mov di, B_SHIFT2
        test dl, 2
        jz .side
        shl cl, 2
        mov di, B_KBD_MODE
.side:
        test ah, 0x80
        jnz .up
        or [di], cl
        or [B_SHIFT], bl
        ret
.up:
        not cl
        and [di], cl
        mov cl, bl
        shr cl, 2
        test [B_SHIFT2], cl             ; the other one may still be down
        jnz .held
        shl cl, 2
        test [B_KBD_MODE], cl
        jnz .held
        not bl
        and [B_SHIFT], bl
        cmp al, 0x38
        jne .held
        xor ah, ah                      ; Alt + keypad digits: the character comes with the release
        xchg [B_ALTPAD], ah
        test ah, ah
        jz .held
        movzx ax, ah
        jmp kbd_store
.held:
        ret

kbd_lock_key:
        cmp bl, SHIFT_SCROLL
        jne .lock
        test dl, 2                      ; E0 46 is Ctrl-Break
        jnz .break
        test byte [B_SHIFT], SHIFT_CTRL
        jnz .break
.lock:
        test ah, 0x80
        jnz .up
        test [B_SHIFT2], bl             ; repeats while it is held
        jnz .done
        or [B_SHIFT2], bl
        xor [B_SHIFT], bl
        jmp kbd_lamps
.up:
        not bl
        and [B_SHIFT2], bl
.done:
        ret
.break:
        test ah, 0x80
        jnz .done
        mov ax, [B_KBD_START]           ; an empty buffer, with 0 in it
        mov [B_KBD_HEAD], ax
        mov [B_KBD_TAIL], ax
        mov byte [B_BREAK], 0x80
        int 0x1b
        xor ax, ax
        jmp kbd_store

kbd_release:
        cmp al, 0x52                    ; Insert
        jne .done
        and byte [B_SHIFT2], 0x7f
.done:
        ret

; A key went down. AL = code, DL = keyboard mode as it was (bit 1: after E0).
kbd_press:
        test byte [B_SHIFT2], 0x08
        jz .no_pause
        and byte [B_SHIFT2], ~0x08
        ret
.no_pause:
        mov dh, [B_SHIFT]
        cmp al, 0x53                    ; Ctrl-Alt-Del
        jne .no_reboot
        mov ah, dh
        and ah, SHIFT_CTRL | SHIFT_ALT
        cmp ah, SHIFT_CTRL | SHIFT_ALT
        je reboot
.no_reboot:
        cmp al, 0x58
        ja .done
        test dl, 2
        jnz kbd_press_extended
        cmp al, 0x54                    ; SysRq
        je .done
        cmp al, 0x37
        je .star
.not_star:
        movzx si, al
        shl si, 3
        add si, keymap
        test dh, SHIFT_ALT
        jnz .alt
        test dh, SHIFT_CTRL
        jnz .ctrl
        mov bl, dh                      ; bit 0: shifted
        shr bl, 1
        or bl, dh
        cmp al, 0x47
        jb .not_pad
        cmp al, 0x53
        ja .shifted
        test dh, SHIFT_NUM
        jmp .flip
.not_pad:
        call kbd_is_letter
        jne .shifted
        test dh, SHIFT_CAPS
.flip:
        jz .shifted
        xor bl, 1
.shifted:
        test bl, 1
        jz .plain
        add si, 2
.plain:
        mov bl, al
        cs lodsw
        cmp bl, 0x52
        jne .store
        test al, al                     ; Insert, not 0
        jz kbd_insert
.store:
        test ax, ax
        jz .done
        jmp kbd_store
.ctrl:
        add si, 4
        jmp .plain
.alt:
        call kbd_altpad
        jc .done
        add si, 6
        mov bl, al
        jmp .plain
.star:                                  ; the * of the keypad
        test dh, SHIFT_ALT
        jz .not_star
        mov ax, 0x3700
        jmp kbd_store
.done:
        ret

kbd_insert:
        test byte [B_SHIFT2], 0x80
        jnz .held
        or byte [B_SHIFT2], 0x80
        xor byte [B_SHIFT], SHIFT_INSERT
.held:
        jmp kbd_store

; ZF set when scan code AL is a letter. Changes AH.
kbd_is_letter:
        push si
        movzx si, al
        shl si, 3
        mov ah, [cs:si + keymap]
        pop si
        cmp ah, 'a'
        jb .no
        cmp ah, 'z'
        ja .no
        cmp al, al
        ret
.no:
        test sp, sp                     ; never zero
        ret

; Alt with a keypad digit: number = number * 10 + digit. Carry set when it was one.
kbd_altpad:
        push ax
        push si
        cmp al, 0x47
        jb .no
        cmp al, 0x52
        ja .no
        movzx si, al
        mov ah, [cs:si + keypad_digits - 0x47]
        cmp ah, 0xff
        je .no
        mov al, [B_ALTPAD]
        mov dl, ah
        mov ah, 10
        mul ah
        add al, dl
        mov [B_ALTPAD], al
        stc
        jmp .out
.no:
        clc
.out:
        pop si
        pop ax
        ret

keypad_digits:
        db 7, 8, 9, 0xff, 4, 5, 6, 0xff, 1, 2, 3, 0

; Keys after E0: AL = code, DH = shift flags.
kbd_press_extended:
        cmp al, 0x37
        je .print
        mov si, keymap_extended
.find:
        cmp byte [cs:si], 0
        je .none
        cmp al, [cs:si]
        je .found
        add si, 7
        jmp .find
.found:
        inc si
        mov bl, al
        test dh, SHIFT_ALT
        jnz .alt
        test dh, SHIFT_CTRL
        jnz .ctrl
        jmp .take
.alt:
        add si, 2
.ctrl:
        add si, 2
.take:
        cs lodsw
        test ax, ax
        jz .none
        cmp bl, 0x52
        je kbd_insert
        jmp kbd_store
.print:
        test dh, SHIFT_CTRL
        jnz .ctrl_print
        sti
        int 0x05
        cli
.none:
        ret
.ctrl_print:
        mov ax, 0x7200

; Puts key AX into the buffer; a full buffer drops it.
kbd_store:
        mov bx, [B_KBD_TAIL]
        mov si, bx
        call kbd_next
        cmp bx, [B_KBD_HEAD]
        je .full
        mov [si], ax
        mov [B_KBD_TAIL], bx
.full:
        ret

; BX = the place after BX in the buffer.
kbd_next:
        add bx, 2
        cmp bx, [B_KBD_END]
        jb .inside
        mov bx, [B_KBD_START]
.inside:
        ret

; Lamps: EDh, ACK, value, ACK; the acknowledges arrive as interrupts.
kbd_lamps:
        mov byte [B_KBD_LEDS], 0x10
        mov al, 0xed
        jmp kbc_send

kbd_lamps_ack:
        test byte [B_KBD_LEDS], 0x10
        jz .second
        mov al, [B_SHIFT]
        shr al, 4
        and al, 7
        mov ah, al
        or ah, 0x20
        mov [B_KBD_LEDS], ah
        jmp kbc_send
.second:
        and byte [B_KBD_LEDS], 0x07
        ret

; Ctrl-Alt-Del: the reset line by the keyboard controller, then by port 92h.
reboot:
        mov word [B_WARM], 0x1234
        mov al, 0xfe
        call kbc_command
        mov cx, 0x1000
.wait:
        in al, KBC_CTL
        loop .wait
        in al, PORT_A
        or al, 1
        out PORT_A, al
        jmp 0xf000:0xfff0

; ---- int 16h ------------------------------------------------------------------------------------------------------
int_16:
        SERVICE_ENTER
        DISPATCH int_16_table, 0x13, .done
.done:
        SERVICE_LEAVE

int_16_table:
        dw key_read, key_peek, key_shifts, key_rate, key_none, key_write, key_none, key_none
        dw key_none, key_functions, key_none, key_none, key_none, key_none, key_none, key_none
        dw key_read_extended, key_peek_extended, key_shifts_extended
        dw key_none

key_none:
        ret

key_read:
        call key_wait
        call key_old
        jc key_read                     ; unknown to old programs: skip it
        mov [bp + F_AX], ax
        ret

key_read_extended:
        call key_wait
        call key_new
        mov [bp + F_AX], ax
        ret

key_peek:
        cli
        mov bx, [B_KBD_HEAD]
        cmp bx, [B_KBD_TAIL]
        je key_empty
        mov ax, [bx]
        call key_old
        jnc key_found
        call kbd_next                   ; skip it
        mov [B_KBD_HEAD], bx
        jmp key_peek

key_peek_extended:
        cli
        mov bx, [B_KBD_HEAD]
        cmp bx, [B_KBD_TAIL]
        je key_empty
        mov ax, [bx]
        call key_new
key_found:
        mov [bp + F_AX], ax
        and byte [bp + F_FLAGS], ~FLAG_ZF
        or byte [bp + F_FLAGS + 1], FLAG_IF >> 8
        ret

key_empty:
        or byte [bp + F_FLAGS], FLAG_ZF
        or byte [bp + F_FLAGS + 1], FLAG_IF >> 8        ; a program that polls gets its interrupts
        ret

; AX = the next key; waits for it.
key_wait:
        cli
        mov bx, [B_KBD_HEAD]
        cmp bx, [B_KBD_TAIL]
        jne .there
        sti                             ; takes effect after HLT: no key is missed in between
        hlt
        jmp key_wait
.there:
        mov ax, [bx]
        call kbd_next
        mov [B_KBD_HEAD], bx
        sti
        ret

; The key as functions 00h and 01h give it; carry set when they hide it.
key_old:
        cmp ah, 0xe0                    ; Enter and / of the keypad
        jne .plain
        mov ah, 0x1c
        cmp al, '/'
        jne .ok
        mov ah, 0x35
        jmp .ok
.plain:
        cmp ah, 0x84
        ja .hide
        test ah, ah
        jz .ok
        cmp al, 0xe0
        jne .ok
        xor al, al
.ok:
        clc
        ret
.hide:
        stc
        ret

; The key as functions 10h and 11h give it: F0h as a character marks keys that 00h would hide.
key_new:
        cmp al, 0xf0
        jne .done
        test ah, ah
        jz .done
        xor al, al
.done:
        ret

key_shifts:
        mov al, [B_SHIFT]
        mov [bp + F_AL], al
        ret

key_shifts_extended:
        mov al, [B_SHIFT]
        mov ah, [B_SHIFT2]
        and ah, 0x73                    ; bit 7 is SysRq here, bit 2 unused
        mov bl, [B_KBD_MODE]
        and bl, 0x0c
        or ah, bl
        mov [bp + F_AX], ax
        ret

; AL=05h: BH = delay, BL = rate.
key_rate:
        cmp al, 0x05
        jne .done
        and bx, 0x031f
        shl bh, 5
        or bl, bh
        mov al, 0xf3
        call kbc_send
        mov al, bl
        call kbc_send
.done:
        ret

; Puts CX into the buffer; AL = 1 when it is full.
key_write:
        cli
        mov bx, [B_KBD_TAIL]
        mov si, bx
        call kbd_next
        mov al, 1
        cmp bx, [B_KBD_HEAD]
        je .full
        mov [si], cx
        mov [B_KBD_TAIL], bx
        xor al, al
.full:
        mov [bp + F_AL], al
        ret

; Functions there are: 10h to 12h, setting of the rate.
key_functions:
        mov byte [bp + F_AL], 0x24
        ret
