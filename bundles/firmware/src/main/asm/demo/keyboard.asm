; Keyboard by IRQ 1: scan code set 1, US layout.

keyboard_start:
        in al, 0x64                     ; what the BIOS left
        test al, 1
        jz .done
        in al, 0x60
        jmp keyboard_start
.done:
        mov al, 8                       ; draws the cursors
        mov edx, ROW_TYPED
        mov ebx, key_column
        call draw_typed
        mov al, 8
        mov edx, ROW_COM
        mov ebx, com_column
        jmp draw_typed

irq_keyboard:
        pushad
        in al, 0x60
        cmp al, 0xe0
        je .e0
        mov ah, [key_e0]
        mov byte [key_e0], 0
        mov ebx, key_ctrl
        cmp al, 0x1d
        je .down
        cmp al, 0x9d
        je .up
        mov ebx, key_alt
        cmp al, 0x38
        je .down
        cmp al, 0xb8
        je .up
        test ah, ah                     ; E0 2A is no shift
        jnz .key
        mov ebx, key_shift
        cmp al, 0x2a
        je .down
        cmp al, 0x36
        je .down
        cmp al, 0xaa
        je .up
        cmp al, 0xb6
        je .up
.key:
        test al, 0x80
        jnz .done
        inc dword [keys]
        call key_pressed
.done:
        mov al, 0x20
        out PIC1, al
        popad
        iret
.e0:
        mov byte [key_e0], 1
        jmp .done
.down:
        mov byte [ebx], 1
        jmp .done
.up:
        mov byte [ebx], 0
        jmp .done

; AL = make code.
key_pressed:
        cmp al, 0x53
        je .delete
.no_reset:
        cmp al, 0x3b
        je theme_next
        cmp al, 0x3c
        je rate_next
        cmp al, 0x3d
        je .lines
        cmp al, 0x39
        ja .none
        movzx eax, al
        mov ecx, key_plain
        cmp byte [key_shift], 0
        je .look
        mov ecx, key_shifted
.look:
        mov al, [ecx + eax]
        test al, al
        jz .none
        mov edx, ROW_TYPED
        mov ebx, key_column
        jmp draw_typed
.lines:
        xor byte [lines_off], 1
.none:
        ret
.delete:
        mov ah, [key_ctrl]
        and ah, [key_alt]
        jz .none
        mov al, 0xfe                    ; the reset line
        out 0x64, al
.reset:
        hlt
        jmp .reset

key_plain:
        db 0, 0, "1234567890-=", 8, 0, "qwertyuiop[]", 13, 0, "asdfghjkl;'`", 0, "\zxcvbnm,./", 0, "*", 0, " "
key_shifted:
        db 0, 0, "!@#$%^&*()_+", 8, 0, "QWERTYUIOP{}", 13, 0, 'ASDFGHJKL:"~', 0, "|ZXCVBNM<>?", 0, "*", 0, " "
