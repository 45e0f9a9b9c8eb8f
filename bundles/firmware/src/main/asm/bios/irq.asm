; Hardware interrupts without an owner, and those that only pass on.

; IRQ 2 to 7 with nobody to serve it: mask it, so that it does not come back at once.
irq_unexpected:
        push ax
        mov al, 0x0b                    ; in-service register
        out PIC1, al
        in al, PIC1
        test al, al
        jz .spurious
        and al, 0xfb                    ; never the cascade
        mov ah, al
        in al, PIC1 + 1
        or al, ah
        out PIC1 + 1, al
        EOI_MASTER
.spurious:
        pop ax
        iret

irq_unexpected_slave:
        push ax
        mov al, 0x0b
        out PIC2, al
        in al, PIC2
        test al, al
        jz .master
        mov ah, al
        in al, PIC2 + 1
        or al, ah
        out PIC2 + 1, al
        mov al, 0x20
        out PIC2, al
.master:
        EOI_MASTER
        pop ax
        iret

; IRQ 9 stands for IRQ 2 of the first PC.
int_71:
        push ax
        mov al, 0x20
        out PIC2, al
        pop ax
        int 0x0a
        iret

; IRQ 13: FPU error. The program's handler is that of the NMI, as on the PC.
int_75:
        push ax
        xor al, al
        out 0xf0, al
        EOI_SLAVE
        pop ax
        int 0x02
        iret
