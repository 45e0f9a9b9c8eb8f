; Power-on: from the reset vector to int 19h. Short, because the first byte of a boot sector is what people wait for: there
; is no memory test, and the devices that a boot sector does not need are only set to a known state.

post:
        cli
        cld
        POST_CODE 0x01
        mov al, 0x8f                    ; CMOS shutdown status, NMI off
        out CMOS, al
        in al, CMOS + 1
        mov ah, al
        mov al, 0x8f
        out CMOS, al
        xor al, al
        out CMOS + 1, al
        cmp ah, 0x05
        je post_resume_eoi
        cmp ah, 0x0a
        je post_resume

        xor ax, ax
        mov ss, ax
        mov sp, 0x7c00
        mov ds, ax
        mov es, ax

        POST_CODE 0x02                  ; vectors and data area; the warm-start mark survives
        mov dx, [BDA * 16 + B_WARM]
        xor di, di
        mov cx, 0x500 / 4
        xor eax, eax
        rep stosd
        mov [BDA * 16 + B_WARM], dx
        call post_vectors

        POST_CODE 0x03
        push word BDA
        pop ds
        call post_chips
        call post_local_apic
        POST_CODE 0x04
        call post_memory
        POST_CODE 0x05
        call post_keyboard
        POST_CODE 0x06
        call post_serial
        POST_CODE 0x07
        call post_diskettes
        POST_CODE 0x08
        call time_from_rtc
        sti
        POST_CODE 0x09
        mov ax, 0x0003
        int 0x10
        mov si, text_banner
        call print
        call print_memory
        mov byte [B_FD_COUNT], 0        ; no motor runs
        call post_option_roms
        POST_CODE 0x0a
        int 0x19
        jmp $

; A program shut the CPU down to leave protected mode on a 286: go on where it asked to.
post_resume_eoi:
        EOI_SLAVE
post_resume:
        mov ax, BDA
        mov ds, ax
        jmp far [B_RESUME]

; Interrupt vectors. In: DS = ES = 0.
post_vectors:
        mov eax, 0xf0000000 + dummy_iret
        xor di, di
        mov cx, 0x60
        rep stosd
        mov word [0x08 * 4], int_08
        mov si, vectors
.next:
        cs lodsb                        ; number, 0 ends
        test al, al
        jz .irqs
        movzx di, al
        shl di, 2
        cs lodsw
        stosw
        mov ax, cs
        stosw
        jmp .next
.irqs:
        mov eax, 0xf0000000 + irq_unexpected_slave
        mov di, 0x70 * 4
        mov cx, 8
        rep stosd
        mov word [0x70 * 4], int_70
        mov word [0x71 * 4], int_71
        mov word [0x75 * 4], int_75
        ret

vectors:
        db 0x05
        dw dummy_iret
        db 0x09
        dw int_09
        db 0x0a
        dw irq_unexpected
        db 0x0b
        dw irq_unexpected
        db 0x0c
        dw irq_unexpected
        db 0x0d
        dw irq_unexpected
        db 0x0e
        dw int_0e
        db 0x0f
        dw irq_unexpected
        db 0x10
        dw int_10
        db 0x11
        dw int_11
        db 0x12
        dw int_12
        db 0x13
        dw int_13
        db 0x14
        dw int_14
        db 0x15
        dw int_15
        db 0x16
        dw int_16
        db 0x17
        dw int_17
        db 0x18
        dw int_18
        db 0x19
        dw int_19
        db 0x1a
        dw int_1a
        db 0x1e
        dw diskette_table
        db 0x1f
        dw font8 + 128 * 8
        db 0x40
        dw int_13
        db 0x42
        dw int_10
        db 0x43
        dw font16
        db 0

; Interrupt controllers, timer, DMA, A20. In: DS = data area.
post_chips:
        OUTB PIC1, 0x11                 ; edge-triggered, cascaded
        OUTB PIC2, 0x11
        OUTB PIC1 + 1, 0x08
        OUTB PIC2 + 1, 0x70
        OUTB PIC1 + 1, 0x04
        OUTB PIC2 + 1, 0x02
        OUTB PIC1 + 1, 0x01
        OUTB PIC2 + 1, 0x01
        OUTB PIC1 + 1, 0xb8             ; timer, keyboard, cascade and diskette may interrupt
        OUTB PIC2 + 1, 0x9f             ; and the FPU

        OUTB PIT + 3, 0x34              ; channel 0: mode 2, 65536
        OUTB PIT, 0
        OUTB PIT, 0
        OUTB PIT + 3, 0x54              ; channel 1: memory refresh
        OUTB PIT + 1, 18
        OUTB PIT + 3, 0xb6              ; channel 2: about 900 Hz, gate off
        OUTB PIT + 2, 0x33
        OUTB PIT + 2, 0x05
        in al, 0x61
        and al, 0xfc
        out 0x61, al

        OUTB 0x0d, 0                    ; both 8237: reset, channel 4 is the cascade
        OUTB 0xda, 0
        OUTB 0xd6, 0xc0
        OUTB 0xd4, 0

        mov al, 1
        call a20_set

        mov ax, 0x260a                  ; RTC: 32 kHz base, 1024 Hz
        call cmos_write
        mov ax, 0x020b                  ; 24 hours, BCD, no interrupts
        call cmos_write
        mov al, 0x0c
        jmp cmos_read                   ; forgets what is pending

; A CPU with a local APIC gets the 8259's interrupts by its pin LINT0 only when that is set up (SDM 3A 11.5.1, "virtual wire").
post_local_apic:
        mov eax, 1
        cpuid
        test edx, 1 << 9
        jz .done
        mov ecx, 0x1b                   ; IA32_APIC_BASE
        rdmsr
        test eax, 1 << 11
        jz .done
        and eax, 0xfffff000
        mov ebx, eax
        lgdt [cs:.gdtr]                 ; ES reaches all of 4 GiB after a moment in protected mode
        mov eax, cr0
        or al, 1
        mov cr0, eax
        mov cx, 8
        mov es, cx
        and al, 0xfe
        mov cr0, eax
        xor cx, cx
        mov es, cx                      ; the limit stays
        or dword [es:ebx + 0xf0], 0x1ff ; spurious vector, enabled
        mov dword [es:ebx + 0x350], 0x700       ; LINT0: ExtINT
        mov dword [es:ebx + 0x360], 0x400       ; LINT1: NMI
        mov eax, cr0                    ; ES gets back the limit of real mode, which virtual-8086 mode needs too
        or al, 1
        mov cr0, eax
        mov cx, 16
        mov es, cx
        and al, 0xfe
        mov cr0, eax
        xor cx, cx
        mov es, cx
.done:
        ret
        align 8
.gdt:   dq 0, 0x00cf93000000ffff, 0x000093000000ffff
.gdtr:  dw 23
        dd 0xf0000 + .gdt

; Option ROMs: at every 2 KiB from C8000 to DFFFF a mark of 55h AAh, the length in units of 512 bytes, an entry for a far call at
; offset 3; all bytes add up to 0. DS stays.
post_option_roms:
        mov bx, 0xc800
.next:
        mov es, bx
        cmp word [es:0], 0xaa55
        jne .none
        movzx cx, byte [es:2]
        shl cx, 9
        xor si, si
        xor al, al
.sum:
        add al, [es:si]
        inc si
        loop .sum
        test al, al
        jnz .none
        push ds
        push bx
        push cs
        push word .back
        push bx
        push word 3
        retf
.back:
        pop bx
        pop ds
        cld
.none:
        add bx, 0x80
        cmp bx, 0xe000
        jb .next
        ret

; Memory below 640 KiB, less the EBDA of 1 KiB.
post_memory:
        mov word [B_MEMORY], 639
        mov word [B_EBDA], EBDA
        push es
        mov ax, EBDA
        mov es, ax
        xor di, di
        mov cx, 1024 / 4
        xor eax, eax
        rep stosd
        mov byte [es:0], 1              ; its size in KiB
        pop es
        mov word [B_EQUIPMENT], 0x0022  ; FPU, 80x25 colour
        mov dword [B_LPT_TIMEOUT], 0x14141414
        mov dword [B_COM_TIMEOUT], 0x01010101
        ret

; Keyboard controller and keyboard. What does not answer is not waited for.
post_keyboard:
        mov word [B_KBD_HEAD], B_KBD_BUFFER
        mov word [B_KBD_TAIL], B_KBD_BUFFER
        mov word [B_KBD_START], B_KBD_BUFFER
        mov word [B_KBD_END], B_KBD_BUFFER + 32
        mov byte [B_KBD_MODE], 0x10
        mov al, 0xad                    ; no scan codes now
        call kbc_command
        call kbc_drain
        mov al, 0xaa                    ; self-test: 55h
        call kbc_command
        call kbc_receive
        mov al, 0x60                    ; command byte: translate, mouse off, IRQ 1
        call kbc_command
        mov al, 0x65
        call kbc_send
        mov al, 0xae
        jmp kbc_command

; Serial ports: one is there when its interrupt enable register keeps what is written.
post_serial:
        mov si, .ports
        xor di, di
.next:
        cs lodsw
        test ax, ax
        jz .done
        mov dx, ax
        inc dx
        mov al, 0x05
        out dx, al
        out PORT_POST, al               ; the bus holds the last value: put another there
        in al, dx
        mov ah, al
        xor al, al
        out dx, al
        cmp ah, 0x05
        jne .next
        dec dx
        mov [di + B_COM], dx
        add di, 2
        jmp .next
.done:
        shl di, 8                       ; count * 2 in bits 8 up: equipment bits 9 to 11
        or [B_EQUIPMENT], di
        ret
.ports: dw 0x3f8, 0x2f8, 0x3e8, 0x2e8, 0

; Diskette drives by CMOS; a controller of which CMOS does not know has a drive A.
post_diskettes:
        mov al, 0x10
        call cmos_read
        xor bx, bx                      ; drives
        test al, 0xf0
        jz .b
        inc bx
.b:
        test al, 0x0f
        jz .count
        inc bx
.count:
        test bx, bx
        jnz .known
        mov dx, FDC_MSR
        in al, dx
        cmp al, 0xff
        je .done
        inc bx
.known:
        dec bx
        shl bx, 6
        inc bx
        or [B_EQUIPMENT], bx
        mov byte [B_FD_MEDIA], 0
        mov byte [B_FD_MEDIA + 1], 0
.done:
        ret

; ---- Keyboard controller, by polling ------------------------------------------------------------------------------

; Sends AL as a command to the controller.
kbc_command:
        call kbc_writable
        out KBC_CTL, al
        ret

; Sends AL to the data port.
kbc_send:
        call kbc_writable
        out KBC_DATA, al
        ret

kbc_writable:
        push ax
        push cx
        mov cx, 0x1000
.wait:
        in al, KBC_CTL
        test al, 2
        loopnz .wait
        pop cx
        pop ax
        ret

; AL = the next byte; carry set when none comes.
kbc_receive:
        push cx
        mov cx, 0x1000
.wait:
        in al, KBC_CTL
        test al, 1
        jnz .there
        loop .wait
        pop cx
        stc
        ret
.there:
        in al, KBC_DATA
        pop cx
        clc
        ret

; Takes what is in the controller's output buffer.
kbc_drain:
        push cx
        mov cx, 32
.next:
        in al, KBC_CTL
        test al, 1
        jz .done
        in al, KBC_DATA
        loop .next
.done:
        pop cx
        ret
