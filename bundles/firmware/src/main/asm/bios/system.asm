; The small services: equipment (int 11h), memory (int 12h) and the mixed bag of int 15h.

int_11:
        push ds
        push word BDA
        pop ds
        mov ax, [B_EQUIPMENT]
        pop ds
        iret

int_12:
        push ds
        push word BDA
        pop ds
        mov ax, [B_MEMORY]
        pop ds
        iret

int_15:
        cmp ah, 0x4f                    ; keyboard intercept: carry stays set, the code is kept. It comes for every key
        je .intercept
        SERVICE_ENTER
        and byte [bp + F_FLAGS], ~FLAG_CF
        mov si, int_15_table
        mov dx, ax
.find:
        cmp dh, [cs:si]
        je .found
        cmp byte [cs:si], 0
        je .found
        add si, 3
        jmp .find
.found:
        mov di, [cs:si + 1]
        mov si, [bp + F_SI]
        mov dx, [bp + F_DX]
        call di
        SERVICE_LEAVE
.intercept:
        push bp
        mov bp, sp
        or byte [bp + 6], FLAG_CF
        pop bp
        iret

; Function, handler; 0 is for the others.
%macro SYSTEM_CALL 2
        db %1
        dw %2
%endmacro
int_15_table:
        SYSTEM_CALL 0x24, sys_a20
        SYSTEM_CALL 0x83, sys_event_wait
        SYSTEM_CALL 0x86, sys_wait
        SYSTEM_CALL 0x87, sys_move
        SYSTEM_CALL 0x88, sys_memory_88
        SYSTEM_CALL 0x90, sys_hook
        SYSTEM_CALL 0x91, sys_hook
        SYSTEM_CALL 0xc0, sys_config
        SYSTEM_CALL 0xc1, sys_ebda
        SYSTEM_CALL 0xe8, sys_memory_e8
        SYSTEM_CALL 0x00, sys_unknown

sys_unknown:
        mov byte [bp + F_AH], 0x86
sys_carry:
        or byte [bp + F_FLAGS], FLAG_CF
        ret

; A device waits (90h) or is ready (91h): for operating systems that hook it.
sys_hook:
        mov byte [bp + F_AH], 0
        ret

sys_config:
        mov word [bp + F_ES], 0xf000
        mov word [bp + F_BX], config_table
        mov byte [bp + F_AH], 0
        ret

sys_ebda:
        mov word [bp + F_ES], EBDA
        ret

; AL: 0 off, 1 on, 2 state, 3 what can switch it.
sys_a20:
        cmp al, 3
        ja sys_unknown
        je .support
        cmp al, 2
        je .state
        call a20_set
        jmp .ok
.state:
        call a20_get
        mov [bp + F_AL], al
        jmp .ok
.support:
        mov word [bp + F_BX], 0x0003    ; keyboard controller and port 92h
.ok:
        mov byte [bp + F_AH], 0
        ret

; Sets the A20 gate to AL (0, 1) by port 92h, or by the keyboard controller where that port floats.
a20_set:
        mov ah, al
        in al, PORT_A
        cmp al, 0xff
        je .controller
        and al, 0xfc                    ; never the reset bit
        add ah, ah
        or al, ah
        out PORT_A, al
        ret
.controller:
        mov al, 0xd1
        call kbc_command
        mov al, 0xdd
        add ah, ah
        or al, ah
        jmp kbc_send

; AL = state of the gate.
a20_get:
        in al, PORT_A
        shr al, 1
        and al, 1
        ret

; AL = 0: set bit 7 of the byte at ES:BX in CX:DX microseconds; 1: cancel.
sys_event_wait:
        cmp al, 1
        je .cancel
        ja sys_unknown
        call wait_start
        jc sys_carry
        ret
.cancel:
        cli
        mov byte [B_WAIT_ACTIVE], 0
        mov al, 0x0b
        call cmos_read
        and al, 0xbf
        mov ah, al
        mov al, 0x0b
        jmp cmos_write

; Waits CX:DX microseconds.
sys_wait:
        push ds
        pop es
        mov bx, B_WAIT_ACTIVE
        call wait_start
        jc sys_carry
.wait:
        cli
        test byte [B_WAIT_ACTIVE], 0x80
        jnz .over
        sti
        hlt
        jmp .wait
.over:
        mov byte [B_WAIT_ACTIVE], 0
        ret
