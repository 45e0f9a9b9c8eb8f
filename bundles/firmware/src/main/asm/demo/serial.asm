; COM1 by interrupts: a ring buffer to send from, and every character that comes is shown and sent back.

COM1            equ 0x3f8
LSR_ERRORS      equ 0x02                ; overrun
LSR_DATA        equ 0x01
LSR_EMPTY       equ 0x20

serial_start:
        mov esi, .setup
        xor edx, edx
.next:
        mov dx, [esi]
        test dx, dx
        jz .done
        mov al, [esi + 2]
        out dx, al
        add esi, 3
        jmp .next
.done:
        mov dx, COM1 + 5                ; errors and characters from before
        in al, dx
        mov dx, COM1
        in al, dx
        ret
%macro PORT_VALUE 2
        dw %1
        db %2
%endmacro
.setup:                                 ; 115200 8N1, FIFOs, receive and transmit interrupts
        PORT_VALUE COM1 + 3, 0x80
        PORT_VALUE COM1, 1
        PORT_VALUE COM1 + 1, 0
        PORT_VALUE COM1 + 3, 0x03
        PORT_VALUE COM1 + 2, 0x07
        PORT_VALUE COM1 + 4, 0x0b
        PORT_VALUE COM1 + 1, 0x03
        dw 0

irq_serial:
        pushad
.again:
        mov dx, COM1 + 2
        in al, dx
        test al, 1                      ; nothing waits
        jnz .done
        mov dx, COM1 + 5
        in al, dx
        mov ah, al
        test al, LSR_ERRORS
        jz .no_error
        inc dword [serial_errors]
.no_error:
        test ah, LSR_DATA
        jz .no_data
        mov dx, COM1
        in al, dx
        call serial_received
        jmp .again
.no_data:
        test ah, LSR_EMPTY
        jz .again
        mov byte [tx_busy], 0
        call serial_send_next
        jmp .again
.done:
        mov al, 0x20
        out PIC1, al
        popad
        iret

; A character came: show it and send it back.
serial_received:
        inc dword [serial_in]
        cmp al, 127
        jne .plain
        mov al, 8
.plain:
        push eax
        mov edx, ROW_COM
        mov ebx, com_column
        call draw_typed
        pop eax
        call serial_put
        cmp al, 13
        je .line
        cmp al, 8
        jne .done
        mov al, ' '
        call serial_put
        mov al, 8
        jmp serial_put
.line:
        mov al, 10
        jmp serial_put
.done:
        ret

; Puts AL into the ring and starts the transmitter. Drops it when the ring is full. Interrupts are off.
serial_put:
        mov ecx, [tx_head]
        lea edx, [ecx + 1]
        and edx, TX_SIZE - 1
        cmp edx, [tx_tail]
        je .full
        mov [tx_buffer + ecx], al
        mov [tx_head], edx
        push eax
        call serial_send_next
        pop eax
.full:
        ret

; Gives the transmitter its next character, unless it is busy.
serial_send_next:
        cmp byte [tx_busy], 0
        jne .done
        mov ecx, [tx_tail]
        cmp ecx, [tx_head]
        je .done
        mov byte [tx_busy], 1
        mov al, [tx_buffer + ecx]
        mov dx, COM1
        out dx, al
        inc dword [serial_out]
        inc ecx
        and ecx, TX_SIZE - 1
        mov [tx_tail], ecx
.done:
        ret

; Sends the text at ESI.
serial_print:
        lodsb
        test al, al
        jz .done
        pushfd
        cli
        call serial_put
        popfd
        jmp serial_print
.done:
        ret

; The same without interrupts, for the last words.
serial_print_polled:
        lodsb
        test al, al
        jz .done
        mov ah, al
        mov ecx, 1000000
        mov dx, COM1 + 5
.wait:
        in al, dx
        test al, LSR_EMPTY
        loopz .wait
        mov dx, COM1
        mov al, ah
        out dx, al
        jmp serial_print_polled
.done:
        ret

; The line of the second: its number, time up, counters, and all that went wrong.
serial_line:
        cmp byte [lines_off], 0
        jne .done
        mov edi, text_buffer
        mov al, '['
        stosb
        inc dword [line_number]
        mov eax, [line_number]
        call put_five
        mov esi, .up
        call copy_text
        call put_uptime
        mov esi, .timer
        call copy_text
        mov eax, [ticks]
        call put_decimal
        mov esi, .keys
        call copy_text
        mov eax, [keys]
        call put_decimal
        mov esi, .received
        call copy_text
        mov eax, [serial_in]
        call put_decimal
        mov esi, .trouble
        call copy_text
        mov eax, [rtc_missed]
        add eax, [serial_errors]
        add eax, [vga_wrong]
        add eax, [mmu_wrong]
        add eax, [cpu_wrong]
        call put_decimal
        mov dword [edi], 0x0a0d
        mov esi, text_buffer
        jmp serial_print
.done:
        ret
.up:        db "] up ", 0
.timer:     db "  timer ", 0
.keys:      db "  keys ", 0
.received:  db "  received ", 0
.trouble:   db "  trouble ", 0

; Puts EAX with at least five digits.
put_five:
        mov ecx, 10000
.zero:
        cmp eax, ecx
        jae put_decimal
        cmp ecx, 1
        je put_decimal
        mov byte [edi], '0'
        inc edi
        push eax
        mov eax, ecx
        xor edx, edx
        mov ebx, 10
        div ebx
        mov ecx, eax
        pop eax
        jmp .zero
