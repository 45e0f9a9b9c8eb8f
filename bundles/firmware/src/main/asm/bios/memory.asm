; Memory above 1 MiB: its size (int 15h AH=88h, E801h, E820h) and moves to and from it (AH=87h).
; Sizes are those in CMOS: 34h-35h in units of 64 KiB above 16 MiB, 30h-31h (or the older 17h-18h) in KiB above 1 MiB,
; 5Bh-5Dh in units of 64 KiB above 4 GiB.

E820_RAM        equ 1
E820_RESERVED   equ 2
SMAP            equ 0x534d4150

; AX = CMOS word at AL.
cmos_word:
        push bx
        mov bl, al
        inc al
        call cmos_read
        mov bh, al
        mov al, bl
        call cmos_read
        mov ah, bh
        pop bx
        ret

; EAX = bytes of memory from 1 MiB up, below 4 GiB.
memory_above_1m:
        mov al, 0x34
        call cmos_word
        movzx eax, ax
        test eax, eax
        jz .small
        shl eax, 16
        add eax, 15 << 20
        ret
.small:
        mov al, 0x30
        call cmos_word
        test ax, ax
        jnz .kib
        mov al, 0x17
        call cmos_word
.kib:
        movzx eax, ax
        shl eax, 10
        ret

; EAX = memory above 4 GiB in units of 64 KiB.
memory_above_4g:
        mov al, 0x5d
        call cmos_read
        movzx eax, al
        push ax
        mov al, 0x5b
        call cmos_word
        pop cx
        shl ecx, 16
        mov cx, ax
        mov eax, ecx
        and eax, 0x00ffffff
        ret

; KiB above 1 MiB, at most what the 16 bits hold.
sys_memory_88:
        call memory_above_1m
        shr eax, 10
        cmp eax, 0xfc00                 ; 63 MiB: what old programs take
        jb .fits
        mov ax, 0xfc00
.fits:
        mov [bp + F_AX], ax
        ret

sys_memory_e8:
        cmp al, 0x20
        je memory_map
        cmp al, 0x01
        jne sys_unknown
        call memory_above_1m            ; AX, CX: KiB from 1 to 16 MiB; BX, DX: 64 KiB units above
        mov ebx, eax
        cmp ebx, 15 << 20
        jb .low
        mov ebx, 15 << 20
.low:
        sub eax, ebx
        shr eax, 16
        shr ebx, 10
        mov [bp + F_AX], bx
        mov [bp + F_CX], bx
        mov [bp + F_BX], ax
        mov [bp + F_DX], ax
        ret

; E820: EBX = 0 or what the last call gave, ES:DI = buffer of ECX bytes, EDX = 'SMAP'. Entries are numbered by EBX; the last
; one is not there when there is no memory above 4 GiB.
memory_map:
        cmp edx, SMAP
        jne sys_unknown
        cmp ecx, 20
        jb sys_unknown
        cmp ebx, 6
        jae sys_unknown
        call memory_above_4g
        mov esi, eax
        mov di, [bp + F_DI]
        mov bx, [bp + F_BX]
        cmp bx, 3
        je .extended
        cmp bx, 5
        je .high
        imul bx, bx, 12                 ; start, length, type: 32 bits each
        mov eax, [cs:bx + memory_ranges]
        mov edx, [cs:bx + memory_ranges + 4]
        mov cx, [cs:bx + memory_ranges + 8]
        call .low_entry
        jmp .done
.extended:
        call memory_above_1m
        mov edx, eax
        mov eax, 1 << 20
        mov cx, E820_RAM
        call .low_entry
        jmp .done
.high:                                  ; 4 GiB up, ESI units of 64 KiB
        xor eax, eax
        stosd
        inc eax
        stosd
        mov eax, esi
        shl eax, 16
        stosd
        mov eax, esi
        shr eax, 16
        stosd
        mov eax, E820_RAM
        stosd
.done:
        mov dword [bp + F_EAX], SMAP
        mov dword [bp + F_ECX], 20
        mov bx, [bp + F_BX]
        inc bx
        cmp bx, 6
        je .last
        cmp bx, 5
        jne .more
        test esi, esi
        jnz .more
.last:
        xor bx, bx
.more:
        movzx ebx, bx
        mov [bp + F_EBX], ebx
        ret
.low_entry:                             ; EAX = start, EDX = length, CX = type
        stosd
        xor eax, eax
        stosd
        mov eax, edx
        stosd
        xor eax, eax
        stosd
        movzx eax, cx
        stosd
        ret

memory_ranges:
        dd 0x00000000, 0x0009fc00, E820_RAM
        dd 0x0009fc00, 0x00000400, E820_RESERVED        ; EBDA
        dd 0x000e0000, 0x00020000, E820_RESERVED        ; ROM and tables
        dd 0, 0, 0                                      ; memory from 1 MiB, by CMOS
        dd 0xfffc0000, 0x00040000, E820_RESERVED        ; the ROM once more

; Moves CX words. ES:SI: a GDT of six entries, of which the caller filled 2 (source) and 3 (destination); the rest is ours.
; Interrupts are off meanwhile; A20 is on, and afterwards what it was.
sys_move:
        cmp cx, 0x8000
        ja .too_many
        cli
        call a20_get
        push ax
        mov al, 1
        call a20_set

        movzx eax, word [bp + F_ES]     ; entry 1: the GDT as data
        shl eax, 4
        movzx edx, si
        add eax, edx
        mov bx, 0x08
        mov dx, 0x002f
        mov cl, 0x93
        call .descriptor
        push eax                        ; operand of LGDT
        push dx
        mov eax, 0xf0000                ; entry 4: our code
        mov bx, 0x20
        mov dx, 0xffff
        mov cl, 0x9b
        call .descriptor
        xor eax, eax                    ; entry 5: the caller's stack
        mov ax, ss
        shl eax, 4
        mov bx, 0x28
        mov cl, 0x93
        call .descriptor
        mov bx, sp
        lgdt [ss:bx]
        add sp, 6

        mov cx, [bp + F_CX]
        mov bx, ss
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp 0x20:.protected
.protected:
        mov ax, 0x28
        mov ss, ax
        mov ax, 0x10
        mov ds, ax
        mov ax, 0x18
        mov es, ax
        xor si, si
        xor di, di
        rep movsw
        mov ax, 0x28                    ; limits of real mode for DS and ES
        mov ds, ax
        mov es, ax
        mov eax, cr0
        and al, 0xfe
        mov cr0, eax
        jmp 0xf000:.real
.real:
        mov ss, bx
        push word BDA
        pop ds
        pop ax
        call a20_set
        mov byte [bp + F_AH], 0
        or byte [bp + F_FLAGS], FLAG_ZF
        ret
.too_many:
        mov byte [bp + F_AH], 0x02
        jmp sys_carry

; Entry BX of the table at ES:SI: base EAX, limit DX, access CL. Keeps EAX.
.descriptor:
        mov [es:si + bx], dx
        mov [es:si + bx + 2], eax
        mov [es:si + bx + 5], cl
        push eax
        shr eax, 24
        mov byte [es:si + bx + 6], 0
        mov [es:si + bx + 7], al
        pop eax
        ret
