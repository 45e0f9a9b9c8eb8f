; The diskette controller (82077AA), by its registers. All of this runs under the frame of int 13h: a controller that does not
; answer ends the service with a timeout. Source: Intel 82077AA data sheet, sections 2.1 (registers) and 5 (commands).

FDC_SPECIFY     equ 0x03
FDC_RECALIBRATE equ 0x07
FDC_SENSE       equ 0x08
FDC_SEEK        equ 0x0f
FDC_READ_ID     equ 0x4a                ; MFM
FDC_READ        equ 0x46
FDC_WRITE       equ 0x45
FDC_VERIFY      equ 0x56
FDC_FORMAT      equ 0x4d

; Writes AL to the controller as soon as it takes it.
fdc_out:
        push cx
        push dx
        mov ah, al
        mov dx, FDC_MSR
        xor cx, cx
.wait:
        in al, dx
        and al, 0xc0
        cmp al, 0x80
        je .ready
        loop .wait
        jmp fdc_timeout
.ready:
        inc dx
        mov al, ah
        out dx, al
        pop dx
        pop cx
        ret

; AL = next byte of the result.
fdc_in:
        push cx
        push dx
        mov dx, FDC_MSR
        xor cx, cx
.wait:
        in al, dx
        and al, 0xc0
        cmp al, 0xc0
        je .ready
        loop .wait
        jmp fdc_timeout
.ready:
        inc dx
        in al, dx
        pop dx
        pop cx
        ret

; The controller does not answer.
fdc_timeout:
        mov byte [B_FD_RECAL], 0
        mov ah, DISK_TIMEOUT
        jmp disk_fail

; IRQ 6: the controller is done.
int_0e:
        push ax
        push ds
        push word BDA
        pop ds
        or byte [B_FD_RECAL], 0x80
        pop ds
        EOI_MASTER
        mov ax, 0x9101
        int 0x15
        pop ax
        iret

; Waits for IRQ 6, at most two seconds; with HLT, unless the timer or the interrupt itself is masked.
fdc_wait:
        pusha
        mov bx, [B_TICKS]
        in al, PIC1 + 1
        test al, 0x41
        jnz .poll
.wait:
        cli
        test byte [B_FD_RECAL], 0x80
        jnz .there
        mov ax, [B_TICKS]
        sub ax, bx
        cmp ax, 37
        ja fdc_timeout
        sti
        hlt
        jmp .wait
.poll:                                  ; the interrupt may not come: the state of the controller tells
        mov ecx, 0x100000
.look:
        test byte [B_FD_RECAL], 0x80
        jnz .there
        mov dx, FDC_MSR
        in al, dx
        test al, 0x0f                   ; no drive seeks
        jnz .not_yet
        and al, 0xd0
        cmp al, 0xd0                    ; a result waits
        je .there
        cmp al, 0x80                    ; idle: a seek has ended
        je .there
.not_yet:
        a32 loop .look
        jmp fdc_timeout
.there:
        sti
        and byte [B_FD_RECAL], 0x7f
        popa
        ret

; Resets the controller; all drives need to be calibrated and their media to be recognised.
fdc_reset:
        and byte [B_FD_RECAL], 0
        mov dx, FDC_DOR
        mov al, [B_FD_MOTOR]
        shl al, 4
        or al, [bp + F_DL]
        or al, 0x08
        and al, 0xfb
        out dx, al
        or al, 0x04
        out dx, al
        call fdc_wait
        mov cx, 4
.sense:
        call fdc_sense
        loop .sense
fdc_specify:
        push ds
        xor ax, ax
        mov ds, ax
        lds si, [0x1e * 4]
        mov bx, [si]
        pop ds
        mov al, FDC_SPECIFY
        call fdc_out
        mov al, bl
        call fdc_out
        mov al, bh
        jmp fdc_out

; AL = status 0 of the drive that interrupted, AH = its cylinder.
fdc_sense:
        mov al, FDC_SENSE
        call fdc_out
        call fdc_in
        push ax
        call fdc_in
        pop bx
        mov ah, al
        mov al, bl
        ret

; Selects drive DL with its motor on. The motor is at speed at once.
fdc_select:
        mov byte [B_FD_COUNT], 0xff
        and byte [B_FD_RECAL], 0x7f
        mov cl, dl
        mov al, 1
        shl al, cl
        or al, [B_FD_MOTOR]
        and al, 0x0f
        mov [B_FD_MOTOR], al
        shl al, 4
        or al, dl
        or al, 0x0c
        push dx
        mov dx, FDC_DOR
        out dx, al
        pop dx
        mov cx, [bp + F_CX]
        ret

; Selects the drive and makes sure that its medium is there and its data rate known.
fdc_ready:
        call fdc_select
        movzx di, dl
        mov dx, FDC_DIR
        in al, dx
        test al, 0x80
        jz .same
        mov bl, [di + B_FD_MEDIA]
        mov byte [di + B_FD_MEDIA], 0
        call fdc_recalibrate
        mov al, 1                       ; a step clears the change line, when there is a medium
        call fdc_seek_cylinder
        xor al, al
        call fdc_seek_cylinder
        mov dx, FDC_DIR
        in al, dx
        test al, 0x80
        mov ah, DISK_TIMEOUT
        jnz disk_fail
        test bl, 0x10                   ; the program knew another medium
        mov ah, DISK_CHANGED
        jnz disk_fail
.same:
        mov al, [di + B_FD_MEDIA]
        test al, 0x10
        jnz .set_rate
        call fdc_recalibrate
        mov si, .rates
.try:
        cs lodsb
        cmp al, 0xff
        mov ah, DISK_MEDIA
        je disk_fail
        call .rate
        call fdc_read_id
        jc .try
        or al, 0x10
        mov [di + B_FD_MEDIA], al
.set_rate:
        call .rate
        mov dx, [bp + F_DX]
        ret
.rate:                                  ; AL: bits 7-6
        push ax
        and al, 0xc0
        mov [B_FD_RATE], al
        shr al, 6
        mov dx, FDC_CCR
        out dx, al
        pop ax
        ret
.rates:
        db 0x00, 0x80, 0x40, 0xc0, 0xff ; 500, 250, 300 kbit/s, 1 Mbit/s

; Carry set when the track under head 0 of the drive cannot be read at this data rate. Keeps AL.
fdc_read_id:
        push ax
        mov al, FDC_READ_ID
        call fdc_out
        mov al, [bp + F_DL]
        call fdc_out
        call fdc_wait
        call fdc_results
        pop ax
        test byte [B_FD_RESULT], 0xc0
        jz .ok
        stc
        ret
.ok:
        clc
        ret

; Moves drive DI to cylinder 0.
fdc_recalibrate:
        mov si, 2                       ; 80 steps may fall short
.try:
        mov al, FDC_RECALIBRATE
        call fdc_out
        mov al, [bp + F_DL]
        call fdc_out
        call fdc_wait
        push bx
        call fdc_sense
        pop bx
        test al, 0xd0                   ; abnormal end, equipment check
        jz .done
        dec si
        jnz .try
        mov ah, DISK_SEEK
        jmp disk_fail
.done:
        mov byte [di + B_FD_CYLINDER], 0
        mov cl, [bp + F_DL]
        mov al, 1
        shl al, cl
        or [B_FD_RECAL], al
        ret

; Moves the drive to the caller's cylinder; one that was not calibrated is first.
fdc_seek:
        movzx di, byte [bp + F_DL]
        mov cx, di
        mov al, 1
        shl al, cl
        test [B_FD_RECAL], al
        jnz .calibrated
        call fdc_recalibrate
.calibrated:
        mov al, [bp + F_CH]
        cmp al, [di + B_FD_CYLINDER]
        je .there
        call fdc_seek_cylinder
.there:
        ret

; Moves drive DI to cylinder AL.
fdc_seek_cylinder:
        push bx
        mov [di + B_FD_CYLINDER], al
        mov al, FDC_SEEK
        call fdc_out
        mov al, [bp + F_DH]
        and al, 1
        shl al, 2
        or al, [bp + F_DL]
        call fdc_out
        mov al, [di + B_FD_CYLINDER]
        call fdc_out
        call fdc_wait
        call fdc_sense
        pop bx
        test al, 0xd0
        jz .done
        and byte [B_FD_RECAL], 0xf0
        mov ah, DISK_SEEK
        jmp disk_fail
.done:
        ret

; The seven bytes of a result, into the data area.
fdc_results:
        mov bx, B_FD_RESULT
.next:
        call fdc_in
        mov [bx], al
        inc bx
        cmp bx, B_FD_RESULT + 7
        jb .next
        ret

; Ends a transfer: the result of the command that was sent, as a status.
fdc_result:
        call fdc_wait
        call fdc_results
        test byte [B_FD_RESULT], 0xc0
        jz .done
        mov byte [bp + F_AL], 0         ; sectors
        mov al, [B_FD_RESULT + 1]
        mov si, .errors
.find:
        test al, [cs:si]
        jnz .found
        add si, 2
        cmp byte [cs:si], 0
        jne .find
.found:
        mov ah, [cs:si + 1]
        cmp ah, DISK_NO_MARK
        je .forget
        cmp ah, DISK_NO_SECTOR
        jne disk_fail
.forget:                                ; perhaps another medium: look at it again next time
        movzx di, byte [bp + F_DL]
        and byte [di + B_FD_MEDIA], 0xef
        jmp disk_fail
.done:
        ret

.errors:                                ; bit of status 1, status for the caller
        db 0x80, DISK_NO_SECTOR
        db 0x20, DISK_CRC
        db 0x10, DISK_DMA
        db 0x04, DISK_NO_SECTOR
        db 0x02, DISK_PROTECTED
        db 0x01, DISK_NO_MARK
        db 0x00, DISK_CONTROLLER
