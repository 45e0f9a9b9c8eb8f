; Time: ticks (int 08h), CMOS and its clock (int 1Ah), waits on the clock's 1024 Hz interrupt (int 70h).

TICKS_A_DAY     equ 0x1800b0

; ---- IRQ 0: 18.2 times a second -----------------------------------------------------------------------------------
int_08:
        push eax
        push dx
        push ds
        push word BDA
        pop ds
        mov eax, [B_TICKS]
        inc eax
        cmp eax, TICKS_A_DAY
        jb .same_day
        xor eax, eax
        inc byte [B_MIDNIGHT]
.same_day:
        mov [B_TICKS], eax
        cmp byte [B_FD_COUNT], 0        ; the diskette motors stop two seconds after their last use
        je .motors_done
        dec byte [B_FD_COUNT]
        jnz .motors_done
        and byte [B_FD_MOTOR], 0xf0
        mov dx, FDC_DOR
        mov al, 0x0c
        out dx, al
.motors_done:
        int 0x1c
        EOI_MASTER
        pop ds
        pop dx
        pop eax
        iret

; ---- CMOS ---------------------------------------------------------------------------------------------------------
; Reads register AL into AL. The address register is left at 0Dh, with NMI on.
cmos_read:
        pushf
        cli
        or al, 0x80
        out CMOS, al
        in al, CMOS + 1
        push ax
        mov al, 0x0d
        out CMOS, al
        pop ax
        popf
        ret

; Writes AH to register AL.
cmos_write:
        pushf
        push ax
        cli
        or al, 0x80
        out CMOS, al
        mov al, ah
        out CMOS + 1, al
        mov al, 0x0d
        out CMOS, al
        pop ax
        popf
        ret

; Waits until no update of the clock is on (at most 2 ms on hardware). Carry set: it never ended.
rtc_ready:
        push cx
        mov cx, 0xffff
.wait:
        mov al, 0x0a
        call cmos_read
        test al, 0x80
        jz .ready
        loop .wait
        pop cx
        stc
        ret
.ready:
        pop cx
        clc
        ret

; EAX = the value of the BCD number in AL.
from_bcd:
        movzx eax, al
        mov ah, al
        shr ah, 4
        and al, 0x0f
        aad
        ret

; Sets the tick count by the clock.
time_from_rtc:
        call rtc_ready
        mov al, 0x04
        call cmos_read
        call from_bcd
        imul ebx, eax, 3600
        mov al, 0x02
        call cmos_read
        call from_bcd
        imul eax, eax, 60
        add ebx, eax
        xor al, al
        call cmos_read
        call from_bcd
        add eax, ebx
        mov edx, 1193182                ; ticks = seconds * 1193182 / 65536
        mul edx
        shrd eax, edx, 16
        cmp eax, TICKS_A_DAY
        jb .store
        xor eax, eax
.store:
        mov [B_TICKS], eax
        ret

; ---- int 1Ah ------------------------------------------------------------------------------------------------------
int_1a:
        SERVICE_ENTER
        and byte [bp + F_FLAGS], ~FLAG_CF
        DISPATCH int_1a_table, 8, int_1a_done
int_1a_done:
        SERVICE_LEAVE

int_1a_table:
        dw time_get, time_set, rtc_get_time, rtc_set_time, rtc_get_date, rtc_set_date, rtc_set_alarm, rtc_clear_alarm
        dw time_unknown

; PCI BIOS (AH=B1h) and everything else is not there.
time_unknown:
        or byte [bp + F_FLAGS], FLAG_CF
        cmp ah, 0xb1
        jne .done
        mov byte [bp + F_AH], 0x81
.done:
        ret

time_get:
        mov eax, [B_TICKS]
        mov [bp + F_DX], ax
        shr eax, 16
        mov [bp + F_CX], ax
        xor al, al
        xchg al, [B_MIDNIGHT]
        mov [bp + F_AL], al
        ret

time_set:
        mov [B_TICKS], dx
        mov [B_TICKS + 2], cx
        mov byte [B_MIDNIGHT], 0
        ret

; Drops the return address: the service ends with carry set.
%macro RTC_READY 0
        call rtc_ready
        jnc %%ready
        or byte [bp + F_FLAGS], FLAG_CF
        ret
%%ready:
%endmacro

rtc_get_time:
        RTC_READY
        xor al, al
        call cmos_read
        mov [bp + F_DH], al
        mov al, 0x02
        call cmos_read
        mov [bp + F_CL], al
        mov al, 0x04
        call cmos_read
        mov [bp + F_CH], al
        mov al, 0x0b
        call cmos_read
        and al, 1
        mov [bp + F_DL], al
        ret

; CH:CL:DH = time in BCD, DL = daylight saving. The clock stands still (SET) meanwhile.
rtc_set_time:
        push ax
        mov al, 0x0b
        call cmos_read
        and al, 0x7e
        and dl, 1
        or al, dl
        mov bl, al
        or al, 0x80
        mov ah, al
        mov al, 0x0b
        call cmos_write
        xor al, al
        mov ah, dh
        call cmos_write
        mov al, 0x02
        mov ah, cl
        call cmos_write
        mov al, 0x04
        mov ah, ch
        call cmos_write
        mov al, 0x0b
        mov ah, bl
        call cmos_write
        pop ax
        ret

rtc_get_date:
        RTC_READY
        mov al, 0x07
        call cmos_read
        mov [bp + F_DL], al
        mov al, 0x08
        call cmos_read
        mov [bp + F_DH], al
        mov al, 0x09
        call cmos_read
        mov [bp + F_CL], al
        mov al, 0x32
        call cmos_read
        mov [bp + F_CH], al
        ret

rtc_set_date:
        mov al, 0x0b
        call cmos_read
        and al, 0x7f
        mov bl, al
        or al, 0x80
        mov ah, al
        mov al, 0x0b
        call cmos_write
        mov al, 0x07
        mov ah, dl
        call cmos_write
        mov al, 0x08
        mov ah, dh
        call cmos_write
        mov al, 0x09
        mov ah, cl
        call cmos_write
        mov al, 0x32
        mov ah, ch
        call cmos_write
        mov al, 0x0b
        mov ah, bl
        jmp cmos_write

; Alarm at CH:CL:DH; int 4Ah is called then. Refused when one is set.
rtc_set_alarm:
        mov al, 0x0b
        call cmos_read
        test al, 0x20
        jz .free
        or byte [bp + F_FLAGS], FLAG_CF
        ret
.free:
        mov bl, al
        mov al, 0x01
        mov ah, dh
        call cmos_write
        mov al, 0x03
        mov ah, cl
        call cmos_write
        mov al, 0x05
        mov ah, ch
        call cmos_write
        mov ah, bl
        or ah, 0x20
        mov al, 0x0b
        call cmos_write
        jmp rtc_unmask

rtc_clear_alarm:
        mov al, 0x0b
        call cmos_read
        mov ah, al
        and ah, 0x5f
        mov al, 0x0b
        jmp cmos_write

; Lets IRQ 8 through.
rtc_unmask:
        in al, PIC2 + 1
        and al, 0xfe
        out PIC2 + 1, al
        in al, PIC1 + 1
        and al, 0xfb
        out PIC1 + 1, al
        ret

; ---- IRQ 8: alarm and waits -----------------------------------------------------------------------------------------
int_70:
        push eax
        push ds
        push word BDA
        pop ds
        push cx
        mov ah, 0
        mov cx, 8
.acknowledge:                           ; reading C does it; until the clock asks for nothing, for the 8259 sees edges only
        mov al, 0x0c
        call cmos_read
        or ah, al
        test al, 0x80
        loopnz .acknowledge
        pop cx
        mov al, 0x0b
        call cmos_read
        and ah, al                      ; what came and is enabled
        test ah, 0x40
        jz .alarm
        test byte [B_WAIT_ACTIVE], 1
        jz .alarm
        sub dword [B_WAIT_USEC], 976
        ja .alarm
        call wait_end
.alarm:
        test ah, 0x20
        jz .done
        push ax
        EOI_SLAVE
        pop ax
        int 0x4a
        jmp .out
.done:
        EOI_SLAVE
.out:
        pop ds
        pop eax
        iret

; The wait has passed: periodic interrupts off, the caller's flag set. Keeps AH.
wait_end:
        push ax
        push bx
        push es
        mov byte [B_WAIT_ACTIVE], 0
        mov al, 0x0b
        call cmos_read
        and al, 0xbf
        mov ah, al
        mov al, 0x0b
        call cmos_write
        les bx, [B_WAIT_FLAG]
        or byte [es:bx], 0x80
        pop es
        pop bx
        pop ax
        ret

; Starts a wait of CX:DX microseconds; bit 7 of the byte at ES:BX will be set. Carry set: one is on already.
wait_start:
        pushf
        cli
        test byte [B_WAIT_ACTIVE], 1
        jnz .busy
        mov byte [B_WAIT_ACTIVE], 1
        mov [B_WAIT_FLAG], bx
        mov [B_WAIT_FLAG + 2], es
        mov [B_WAIT_USEC], dx
        mov [B_WAIT_USEC + 2], cx
        mov al, 0x0b
        call cmos_read
        or al, 0x40
        mov ah, al
        mov al, 0x0b
        call cmos_write
        call rtc_unmask
        popf
        clc
        ret
.busy:
        popf
        stc
        ret
