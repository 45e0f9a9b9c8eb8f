; Serial ports (int 14h) and printers (int 17h; this machine has no parallel port, which is what the answers say).

int_14:
        SERVICE_ENTER
        cmp dx, 4
        jae .done
        mov si, dx
        add si, si
        mov di, dx                      ; number of the port
        mov dx, [si + B_COM]
        test dx, dx
        jz .done
        DISPATCH int_14_table, 4, .done
.done:
        SERVICE_LEAVE

int_14_table:
        dw com_init, com_send, com_receive, com_status
        dw com_none

com_none:
        ret

; AL: bits 7-5 rate, 4-3 parity, 2 stop bits, 1-0 length.
com_init:
        mov bl, al
        shr al, 5
        movzx si, al
        add si, si
        mov cx, [cs:si + com_divisors]
        add dx, 3
        mov al, 0x80
        out dx, al
        sub dx, 3
        mov al, cl
        out dx, al
        inc dx
        mov al, ch
        out dx, al
        add dx, 2
        mov al, bl
        and al, 0x1f
        out dx, al
        sub dx, 2                       ; no interrupts
        xor al, al
        out dx, al
        dec dx
; Status of the port at DX: AH = line, AL = modem.
com_status:
        call com_line_status
        mov [bp + F_AX], ax
        ret

com_line_status:
        add dx, 5
        in al, dx
        mov ah, al
        inc dx
        in al, dx
        sub dx, 6
        ret

com_divisors:                           ; 110, 150, 300, 600, 1200, 2400, 4800, 9600 baud
        dw 1047, 768, 384, 192, 96, 48, 24, 12

com_send:
        push ax
        add dx, 4
        mov al, 0x03                    ; DTR, RTS
        out dx, al
        sub dx, 4
        mov bl, 0x20                    ; transmitter empty
        call com_wait
        pop bx
        jc com_timeout
        mov al, bl
        out dx, al
        mov [bp + F_AH], ah
        ret

com_receive:
        add dx, 4
        mov al, 0x01
        out dx, al
        sub dx, 4
        mov bl, 0x01                    ; data ready
        call com_wait
        jc com_timeout
        in al, dx
        mov [bp + F_AL], al
        and ah, 0x1e                    ; errors
        mov [bp + F_AH], ah
        ret

com_timeout:
        or ah, 0x80
        mov [bp + F_AH], ah
        ret

; Waits until bit BL of the line status is set: AH = line status. Carry set after the port's time (in seconds, about).
com_wait:
        movzx cx, byte [di + B_COM_TIMEOUT]
        imul cx, cx, 18
        inc cx
        sti
.tick:
        mov si, [B_TICKS]
.poll:
        call com_line_status
        test ah, bl
        jnz .ok
        cmp si, [B_TICKS]
        je .poll
        loop .tick
        stc
        ret
.ok:
        clc
        ret

int_17:
        SERVICE_ENTER
        mov byte [bp + F_AH], 0x29      ; no paper, I/O error, timeout
        SERVICE_LEAVE
