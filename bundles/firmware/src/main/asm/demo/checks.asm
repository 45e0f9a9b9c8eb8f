; Checks that run all the time: the MMU, the CPU and the VGA do a little work whose result is known.

checks_start:
        mov edi, CHECK_PAGES            ; each page is full of its own number
        xor edx, edx
.page:
        mov eax, edx
        mov ecx, 1024
        rep stosd
        inc edx
        cmp edx, 8
        jb .page
        call checksum
        mov [cpu_expected], eax
        ret

checks_round:
        call check_mmu
        call check_cpu
        jmp check_vga

; Maps another page into the window, and looks which one is seen there; then writes to it, and looks from the other side.
check_mmu:
        mov ebx, [mmu_checks]
        and ebx, 7
        mov eax, ebx
        shl eax, 12
        add eax, CHECK_PAGES
        mov esi, eax
        or eax, 3
        mov [PAGE_TABLE + (CHECK_WINDOW >> 12) * 4], eax
        invlpg [CHECK_WINDOW]
        cmp [CHECK_WINDOW + 64], ebx
        jne .wrong
        mov eax, [mmu_checks]
        mov [CHECK_WINDOW + 128], eax
        cmp [esi + 128], eax
        je .right
.wrong:
        inc dword [mmu_wrong]
.right:
        inc dword [mmu_checks]
        ret

check_cpu:
        call checksum
        inc dword [cpu_checks]
        cmp eax, [cpu_expected]
        je .right
        inc dword [cpu_wrong]
.right:
        ret

; EAX = CRC-32 of the first bytes of this program, mixed with a product and a quotient of it.
checksum:
        mov esi, start32
        mov eax, -1
        mov ecx, 64
.byte:
        xor al, [esi]
        inc esi
        mov edx, 8
.bit:
        shr eax, 1
        jnc .zero
        xor eax, 0xedb88320
.zero:
        dec edx
        jnz .bit
        loop .byte
        mov ebx, 1000003
        mov ecx, eax
        mul ebx
        add eax, edx
        xor edx, edx
        div ebx
        shl edx, 12
        xor eax, edx
        bswap eax
        add eax, ecx
        ret

; Writes characters to the second page of text, where they are not seen, and reads them back.
VGA_CELLS       equ 8
check_vga:
        mov eax, [vga_seed]
        mov edi, SCREEN + 0x1000
        mov ecx, VGA_CELLS
.write:
        imul eax, eax, 1103515245
        add eax, 12345
        mov edx, eax
        shr edx, 16
        mov [edi], dx
        add edi, 2
        loop .write
        mov eax, [vga_seed]
        mov edi, SCREEN + 0x1000
        mov ecx, VGA_CELLS
.read:
        imul eax, eax, 1103515245
        add eax, 12345
        mov edx, eax
        shr edx, 16
        cmp [edi], dx
        je .right
        inc dword [vga_wrong]
.right:
        add edi, 2
        loop .read
        mov [vga_seed], eax
        add dword [vga_checks], VGA_CELLS
        ret
