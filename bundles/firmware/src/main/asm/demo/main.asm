; Start and main loop: after each timer tick a round of work, otherwise HLT.

start32:
        mov ax, DATA
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov esp, STACK
        cld
        mov edi, VARIABLES
        mov ecx, (variables_end - VARIABLES + 3) / 4
        xor eax, eax
        rep stosd
        call paging_start
        call interrupts_start
        call screen_start
        call serial_start
        call keyboard_start
        call clock_start
        call checks_start
        sti
        mov esi, text_hello
        call serial_print

.idle:
        cli
        mov eax, [ticks]
        cmp eax, [worked]
        jne .work
        sti                             ; takes effect after HLT: no tick is missed in between
        hlt
        jmp .idle
.work:
        mov [worked], eax
        sti
        call checks_round
        call screen_round
        cmp byte [second_passed], 0
        je .idle
        mov byte [second_passed], 0
        call screen_second
        call serial_line
        jmp .idle

; The lowest 4 MiB as they are, by pages of 4 KiB.
paging_start:
        mov edi, PAGE_TABLE
        mov eax, 3                      ; present, writable
        mov ecx, 1024
.page:
        stosd
        add eax, 4096
        loop .page
        mov edi, PAGE_DIRECTORY
        mov ecx, 1024
        xor eax, eax
        rep stosd
        mov dword [PAGE_DIRECTORY], PAGE_TABLE + 3
        mov eax, PAGE_DIRECTORY
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80010000              ; paging, write protection
        mov cr0, eax
        jmp .on
.on:
        ret

text_hello:
        db 13, 10, "Backplane demonstration guest: a numbered line each second, and what you type comes back.", 13, 10, 0
