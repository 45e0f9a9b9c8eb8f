; SPDX-License-Identifier: Apache-2.0
;
; The probe: a guest that does on COM1 what it is told, so that a test drives a card as a driver would, with no operating system. A multiboot
; kernel in 32-bit protected mode. scripts/assemble-firmware makes the image of it, which is committed.
;
; It echoes what it is sent. A line is a command; all numbers are hexadecimal, and SIZE is 1, 2 or 4 bytes:
;
;     iSIZE PORT            port read              rSIZE GPA             memory read
;     oSIZE PORT VALUE      port write             wSIZE GPA VALUE       memory write
;     q IRQ                 how many interrupts of this line came since the last such question
;
; Reads answer eight digits and a line's end. What is no command is answered by "?". The prompt "> " ends every answer.
;
; Lines 1 to 15 interrupt, but for the cascade; each interrupt is counted and acknowledged to the controllers, and that is all. While nobody talks
; to it the guest is halted; COM1 wakes it by its own line, 4.
;
; 100000 this program, 110000 IDT, 111000 counts, 112000 the line, 1F0000 the stack's end. From 200000 on memory is free.

bits 32
org 0x100000

IDT     equ 0x110000
COUNTS  equ 0x111000
LINE    equ 0x112000
LENGTH  equ 64                  ; of a line
STACK   equ 0x1f0000
COM1    equ 0x3f8
VECTOR  equ 0x20                ; of line 0

header:                         ; Multiboot Specification 0.6.96, 3.1.1, with the address fields
    dd 0x1badb002, 1 << 16, -(0x1badb002 + (1 << 16))
    dd header, header, 0, 0, start

start:
    cli
    cld
    mov esp, STACK
    xor eax, eax
    mov edi, COUNTS
    mov ecx, 16
    rep stosd

    mov edi, IDT + VECTOR * 8
    mov eax, stubs
    mov ecx, 16
gate:
    mov edx, eax
    mov [edi], dx
    mov [edi + 2], cs
    mov word [edi + 4], 0x8e00  ; interrupt gate, present
    shr edx, 16
    mov [edi + 6], dx
    add edi, 8
    add eax, stub_size
    loop gate
    lidt [idtr]

    mov esi, ports
    mov ecx, (ports_end - ports) / 3
    xor edx, edx
setup:
    lodsw
    mov edx, eax
    and edx, 0xffff
    lodsb
    out dx, al
    loop setup

    mov esi, hello
    call print
prompt:
    mov esi, prompt_text
    call print

; ---- a line ----

    mov edi, LINE
next:
    call receive
    call send
    cmp al, 10                  ; both ends of a line are one
    je line
    cmp al, 13
    je line
    cmp edi, LINE + LENGTH
    jae next
    stosb
    jmp next
line:
    mov al, 0
    stosb
    mov esi, crlf
    call print

    mov esi, LINE
    lodsb
    mov bl, al
    cmp al, 0
    je prompt
    cmp al, 'q'
    je question
    lodsb
    mov bh, al                  ; the size's digit
    call number
    jc wrong
    mov edx, eax
    cmp bl, 'i'
    je port_read
    cmp bl, 'r'
    je memory_read
    call number
    jc wrong
    cmp bl, 'o'
    je port_write
    cmp bl, 'w'
    je memory_write
wrong:
    mov esi, what
    call print
    jmp prompt

question:
    call number
    jc wrong
    cmp eax, 15
    ja wrong
    xor ecx, ecx
    xchg ecx, [COUNTS + eax * 4]
    mov eax, ecx
answer:
    call hexadecimal
    jmp prompt

port_read:
    xor eax, eax
    cmp bh, '1'
    jne .two
    in al, dx
    jmp answer
.two:
    cmp bh, '2'
    jne .four
    in ax, dx
    jmp answer
.four:
    cmp bh, '4'
    jne wrong
    in eax, dx
    jmp answer

port_write:
    cmp bh, '1'
    jne .two
    out dx, al
    jmp prompt
.two:
    cmp bh, '2'
    jne .four
    out dx, ax
    jmp prompt
.four:
    cmp bh, '4'
    jne wrong
    out dx, eax
    jmp prompt

memory_read:
    xor eax, eax
    cmp bh, '1'
    jne .two
    mov al, [edx]
    jmp answer
.two:
    cmp bh, '2'
    jne .four
    mov ax, [edx]
    jmp answer
.four:
    cmp bh, '4'
    jne wrong
    mov eax, [edx]
    jmp answer

memory_write:
    cmp bh, '1'
    jne .two
    mov [edx], al
    jmp prompt
.two:
    cmp bh, '2'
    jne .four
    mov [edx], ax
    jmp prompt
.four:
    cmp bh, '4'
    jne wrong
    mov [edx], eax
    jmp prompt

; ---- text ----

; The number at esi, in eax; carry if there is none.
number:
    xor eax, eax
    xor ecx, ecx                ; digits
.blank:
    cmp byte [esi], ' '
    jne .digit
    inc esi
    jmp .blank
.digit:
    movzx ebp, byte [esi]
    sub ebp, '0'
    cmp ebp, 9
    jbe .take
    sub ebp, 'a' - '0' - 10
    cmp ebp, 10
    jb .end
    cmp ebp, 15
    ja .end
.take:
    shl eax, 4
    or eax, ebp
    inc ecx
    inc esi
    jmp .digit
.end:
    cmp ecx, 1                  ; carry if 0
    ret

; Says eax and a line's end.
hexadecimal:
    mov ecx, 8
.digit:
    rol eax, 4
    push eax
    and al, 15
    cmp al, 10
    jb .below
    add al, 'a' - '0' - 10
.below:
    add al, '0'
    call send
    pop eax
    loop .digit
    mov esi, crlf
print:
    lodsb
    cmp al, 0
    je .end
    call send
    jmp print
.end:
    ret

; ---- COM1: sending is polled, for input the guest sleeps ----

send:
    push edx
    push eax
    mov edx, COM1 + 5
.full:
    in al, dx
    test al, 0x20               ; transmitter empty
    jz .full
    pop eax
    mov edx, COM1
    out dx, al
    pop edx
    ret

receive:
    mov edx, COM1 + 5
.wait:
    cli
    in al, dx
    test al, 1                  ; a character is there
    jnz .there
    sti                         ; lets nothing in before the next instruction is done
    hlt
    jmp .wait
.there:
    sti
    mov edx, COM1
    in al, dx
    ret

; ---- interrupts ----

stub_size equ 10
stubs:
%assign irq 0
%rep 16
    push strict dword irq       ; 5 bytes
    jmp strict near interrupt   ; 5 bytes
%assign irq irq + 1
%endrep

interrupt:
    push eax
    mov eax, [esp + 4]
    inc dword [COUNTS + eax * 4]
    cmp eax, 8
    mov al, 0x20                ; end of interrupt
    jb .first
    out 0xa0, al
.first:
    out 0x20, al
    pop eax
    add esp, 4
    iret

idtr:
    dw 0x30 * 8 - 1
    dd IDT

; Port and value: the controllers (ICW1 to ICW4, masks: the timer's line is off), then COM1 (interrupt on input, OUT2).
ports:
%macro set 2
    dw %1
    db %2
%endmacro
    set 0x20, 0x11
    set 0x21, VECTOR
    set 0x21, 4
    set 0x21, 1
    set 0xa0, 0x11
    set 0xa1, VECTOR + 8
    set 0xa1, 2
    set 0xa1, 1
    set 0x21, 1
    set 0xa1, 0
    set COM1 + 3, 3             ; 8 bits, no parity
    set COM1 + 1, 1
    set COM1 + 4, 0x0b
ports_end:

hello:
    db "backplane probe"
crlf:
    db 13, 10, 0
prompt_text:
    db "> ", 0
what:
    db "?", 13, 10, 0
