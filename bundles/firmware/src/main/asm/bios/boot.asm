; Starting an operating system (int 19h, 18h) and printing to the screen.

int_18:
int_19:
        sti
        xor ax, ax
        mov ss, ax
        mov sp, 0x7c00
        mov ax, BDA
        mov ds, ax
.again:
        test byte [B_EQUIPMENT], 1
        jz .none
        mov si, text_booting
        call print
        xor ah, ah                      ; the controller comes out of reset here
        xor dl, dl
        int 0x13
        mov di, 3
.try:
        xor ax, ax
        mov es, ax
        mov bx, 0x7c00
        mov ax, 0x0201
        mov cx, 0x0001
        xor dx, dx
        int 0x13
        jnc .read
        xor ah, ah
        int 0x13
        dec di
        jnz .try
        jmp .none
.read:
        cmp word [es:0x7c00 + 510], 0xaa55
        jne .none
        POST_CODE 0x0b
        xor eax, eax                    ; what a boot sector finds: DL = drive, everything else is zero
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
        xor esi, esi
        xor edi, edi
        xor ebp, ebp
        mov ds, ax
        mov es, ax
        jmp 0x0000:0x7c00
.none:
        POST_CODE 0xee
        mov si, text_no_boot
        call print
        xor ah, ah                      ; waits with HLT
        int 0x16
        jmp .again

; Prints the zero-terminated text at CS:SI. Changes AX, BX, SI.
print:
        cs lodsb
        test al, al
        jz .done
        call print_char
        jmp print
.done:
        ret

print_char:
        push bx
        mov ah, 0x0e
        mov bx, 0x0007
        int 0x10
        pop bx
        ret

; Prints the size of memory.
print_memory:
        call memory_above_1m            ; EAX = bytes
        shr eax, 20
        inc eax
        call print_number
        mov si, text_memory
        jmp print

; Prints EAX in decimal.
print_number:
        mov ebx, 10
        xor cx, cx
.divide:
        xor edx, edx
        div ebx
        push dx
        inc cx
        test eax, eax
        jnz .divide
.digit:
        pop ax
        add al, '0'
        call print_char
        loop .digit
        ret

text_banner:
        db "Backplane BIOS", 13, 10, 0
text_memory:
        db " MB of memory", 13, 10, 0
text_booting:
        db "Booting from floppy ...", 13, 10, 0
text_no_boot:
        db "No bootable device. Insert a boot floppy and press a key.", 13, 10, 0
