; Interrupts: vectors, controllers, and what to do about an exception: say so and stop.

PIC1            equ 0x20
PIC2            equ 0xa0

%macro GATE 2                           ; vector, handler
        mov eax, %2
        mov edi, idt + (%1) * 8
        call interrupts_gate
%endmacro

interrupts_start:
        xor ecx, ecx
.exception:
        mov eax, ecx                    ; entries of 8 bytes
        shl eax, 3
        add eax, exceptions
        lea edi, [idt + ecx * 8]
        call interrupts_gate
        inc ecx
        cmp ecx, 32
        jb .exception
.ignored:
        mov eax, irq_ignored
        lea edi, [idt + ecx * 8]
        call interrupts_gate
        inc ecx
        cmp ecx, 48
        jb .ignored
        GATE 0x20, irq_timer
        GATE 0x21, irq_keyboard
        GATE 0x24, irq_serial
        GATE 0x28, irq_clock
        lidt [.idtr]
        mov esi, .pic
        xor edx, edx
        mov ecx, 10
.next:
        mov dl, [esi]
        mov al, [esi + 1]
        out dx, al
        add esi, 2
        loop .next
        ret
.idtr:
        dw 48 * 8 - 1
        dd idt
.pic:                                   ; vectors 20h and 28h; timer, keyboard, cascade, COM1; clock
        db PIC1, 0x11, PIC2, 0x11, PIC1 + 1, 0x20, PIC2 + 1, 0x28, PIC1 + 1, 4, PIC2 + 1, 2, PIC1 + 1, 1, PIC2 + 1, 1
        db PIC1 + 1, 0xe8, PIC2 + 1, 0xfe

; EAX = handler, EDI = entry.
interrupts_gate:
        mov [edi], ax
        mov word [edi + 2], CODE
        mov word [edi + 4], 0x8e00
        shr eax, 16
        mov [edi + 6], ax
        ret

irq_ignored:
        push eax
        mov al, 0x20
        out PIC2, al
        out PIC1, al
        pop eax
        iret

        align 8
exceptions:
%assign v 0
%rep 32
        push byte v
        jmp near exception
        align 8
%assign v v + 1
%endrep

; The vector is on the stack, then for some an error code, then EIP.
exception:
        cli
        mov eax, [esp]
        mov edx, [esp + 4]
        bt dword [.with_error_code], eax
        jnc .address
        mov edx, [esp + 8]
.address:
        mov esi, .text
        mov edi, text_buffer
        call copy_text
        call put_decimal
        mov esi, .at
        call copy_text
        mov eax, edx
        call put_hex
        mov byte [edi], 0
        mov esi, text_buffer
        mov edi, SCREEN + (24 * 80 + 2) * 2
        mov ah, 0x4f
        call draw_text
        mov esi, text_buffer
        call serial_print_polled
.stop:
        hlt
        jmp .stop
.with_error_code:
        dd 0x00027d00
.text:  db "The demonstration guest met exception ", 0
.at:    db " at ", 0
