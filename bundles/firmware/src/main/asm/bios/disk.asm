; Diskettes: int 13h for drives 00h and 01h. There is no hard disk: drives 80h up answer "bad parameter".
;
; A service that fails anywhere jumps to disk_fail with the status in AH; the stack is cut back to the frame there.
; Tracks of 40-cylinder media are not double-stepped: a drive of this machine has as many cylinders as its medium.

DISK_OK         equ 0x00
DISK_PARAMETER  equ 0x01
DISK_NO_MARK    equ 0x02
DISK_PROTECTED  equ 0x03
DISK_NO_SECTOR  equ 0x04
DISK_CHANGED    equ 0x06
DISK_DMA        equ 0x08
DISK_BOUNDARY   equ 0x09
DISK_MEDIA      equ 0x0c
DISK_CRC        equ 0x10
DISK_CONTROLLER equ 0x20
DISK_SEEK       equ 0x40
DISK_TIMEOUT    equ 0x80

; The 11 bytes at int 1Eh: step rate and head times, motor off time, size code, sectors, gap, data length, format gap, fill
; byte, head settle time, motor start time.
%macro DISKETTE_PARAMETERS 3            ; sectors, gap, format gap
        db 0xdf, 0x02, 0x25, 0x02, %1, %2, 0xff, %3, 0xf6, 0x0f, 0x08
%endmacro

int_13:
        SERVICE_ENTER
        sti
        and byte [bp + F_FLAGS], ~FLAG_CF
        cmp ah, 0x01
        je .last
        call disk_count
        cmp dl, al
        mov al, [bp + F_AL]
        jae .no_drive
.known:
        DISPATCH int_13_table, 0x19, disk_done
.last:
        mov ah, [B_FD_STATUS]
        jmp disk_status
.no_drive:
        cmp ah, 0x15
        je .kind
        cmp ah, 0x08
        jne .bad
        test dl, 0x80
        jnz .bad
        call disk_no_parameters
        jmp disk_done
.kind:
        mov byte [bp + F_AH], 0
        jmp disk_out
.bad:
        mov ah, DISK_PARAMETER
        jmp disk_fail

disk_done:
        xor ah, ah
        mov [B_FD_STATUS], ah
        mov [bp + F_AH], ah
disk_out:
        mov byte [B_FD_COUNT], 37
        SERVICE_LEAVE

; Status AH to the caller, with carry when it is not 0.
disk_fail:
        mov sp, bp
        mov [B_FD_STATUS], ah
disk_status:
        mov [bp + F_AH], ah
        test ah, ah
        jz disk_out
        or byte [bp + F_FLAGS], FLAG_CF
        jmp disk_out

int_13_table:
        dw disk_reset, disk_unknown, disk_read, disk_write, disk_verify, disk_format, disk_unknown, disk_unknown
        dw disk_parameters, disk_unknown, disk_unknown, disk_unknown, disk_unknown, disk_unknown, disk_unknown, disk_unknown
        dw disk_unknown, disk_unknown, disk_unknown, disk_unknown, disk_unknown, disk_kind, disk_change, disk_set_type
        dw disk_set_media
        dw disk_unknown

disk_unknown:
        mov ah, DISK_PARAMETER
        jmp disk_fail

; AL = drives.
disk_count:
        mov al, [B_EQUIPMENT]
        test al, 1
        jz .none
        shr al, 6
        inc al
        ret
.none:
        xor al, al
        ret

; AL = type of drive DL as in CMOS: 1 360K, 2 1.2M, 3 720K, 4 1.44M, 5 2.88M.
disk_type:
        mov al, 0x10
        call cmos_read
        test dl, dl
        jnz .b
        shr al, 4
.b:
        and al, 0x0f
        jz .usual
        cmp al, 6
        jb .known
        mov al, 5                       ; 6 is a 2.88M drive, too
        ret
.usual:
        mov al, 4
.known:
        ret

disk_reset:
        jmp fdc_reset

; ---- Transfers: AL sectors from CH, DH, CL at ES:BX -----------------------------------------------------------------
disk_read:
        call disk_check
        mov ah, DMA_TO_MEMORY
        call disk_dma
        call fdc_ready
        call fdc_seek
        mov al, FDC_READ
        jmp disk_command

disk_write:
        call disk_check
        mov ah, DMA_FROM_MEMORY
        call disk_dma
        call fdc_ready
        call fdc_seek
        mov al, FDC_WRITE
        jmp disk_command

; The controller compares nothing: it reads AL sectors and checks them.
disk_verify:
        call disk_check
        call fdc_ready
        call fdc_seek
        mov al, FDC_VERIFY
disk_command:
        mov bl, [bp + F_DH]             ; head and drive
        shl bl, 2
        or bl, [bp + F_DL]
        cmp al, FDC_VERIFY
        jne .no_count
        or bl, 0x80                     ; the last byte is the number of sectors
.no_count:
        call fdc_out
        mov al, bl
        call fdc_out
        mov al, [bp + F_CH]
        call fdc_out
        mov al, [bp + F_DH]
        call fdc_out
        mov al, [bp + F_CL]
        call fdc_out
        mov al, 2                       ; 512 bytes
        call fdc_out
        mov al, [bp + F_CL]             ; last sector
        add al, [bp + F_AL]
        dec al
        call fdc_out
        push ds
        xor ax, ax
        mov ds, ax
        lds si, [0x1e * 4]
        mov bl, [si + 5]
        pop ds
        mov al, bl                      ; gap
        call fdc_out
        mov al, 0xff
        test byte [bp + F_AH], 0x04     ; verify is 04h
        jz .length
        mov al, [bp + F_AL]
.length:
        call fdc_out
        jmp fdc_result

; Sectors, head and drive can be; an error otherwise.
disk_check:
        test al, al
        jz .bad
        test cl, cl
        jz .bad
        cmp dh, 1
        ja .bad
        ret
.bad:
        mov ah, DISK_PARAMETER
        jmp disk_fail

; Programs DMA channel 2 for AL sectors at ES:BX, in mode AH.
disk_dma:
        movzx ecx, al
        shl ecx, 9
; The same for CX bytes.
disk_dma_bytes:
        push ax
        mov ax, es
        movzx edx, ax
        shl edx, 4
        movzx eax, bx
        add edx, eax
        dec cx
        mov ax, dx
        add ax, cx
        pop ax
        jc .boundary
        cmp edx, 0x00ffffff
        ja .boundary
        mov bx, ax
        OUTB 0x0a, 0x06                 ; mask channel 2
        OUTB 0x0c, 0                    ; low byte first
        mov al, bh
        out 0x0b, al
        mov al, dl
        out 0x04, al
        mov al, dh
        out 0x04, al
        shr edx, 16
        mov al, dl
        out 0x81, al
        mov al, cl
        out 0x05, al
        mov al, ch
        out 0x05, al
        OUTB 0x0a, 0x02
        mov ax, bx
        mov bx, [bp + F_BX]
        mov cx, [bp + F_CX]
        mov dx, [bp + F_DX]
        ret
.boundary:
        mov ah, DISK_BOUNDARY
        jmp disk_fail

DMA_TO_MEMORY   equ 0x46                ; single, up, channel 2
DMA_FROM_MEMORY equ 0x4a

; Formats track CH, head DH; ES:BX = cylinder, head, sector, size of each sector.
disk_format:
        cmp dh, 1
        ja disk_unknown
        push ds
        xor ax, ax
        mov ds, ax
        lds si, [0x1e * 4]
        mov al, [si + 3]                ; size code, sectors
        mov ah, [si + 4]
        mov cl, [si + 7]                ; gap, fill byte
        mov ch, [si + 8]
        pop ds
        push ax
        push cx
        movzx cx, ah
        shl cx, 2
        mov ah, DMA_FROM_MEMORY
        call disk_dma_bytes
        call fdc_ready
        call fdc_seek
        mov al, FDC_FORMAT
        call fdc_out
        mov al, [bp + F_DH]
        shl al, 2
        or al, [bp + F_DL]
        call fdc_out
        pop cx
        pop bx
        mov al, bl
        call fdc_out
        mov al, bh
        call fdc_out
        mov al, cl
        call fdc_out
        mov al, ch
        call fdc_out
        jmp fdc_result

; ---- What there is --------------------------------------------------------------------------------------------------

; Parameters of drive DL.
disk_parameters:
        call disk_type
        mov [bp + F_BL], al
        mov byte [bp + F_BH], 0
        movzx si, al
        imul si, si, 13
        add si, drive_table - 13
        mov cx, [cs:si]
        mov [bp + F_CX], cx
        add si, 2
        mov [bp + F_DI], si
        mov word [bp + F_ES], cs
        mov byte [bp + F_DH], 1
        call disk_count
        mov [bp + F_DL], al
        mov byte [bp + F_AL], 0
        ret

disk_no_parameters:
        xor ax, ax
        mov [bp + F_BX], ax
        mov [bp + F_CX], ax
        mov [bp + F_DI], ax
        mov [bp + F_ES], ax
        mov [bp + F_AL], al
        call disk_count
        xor ah, ah
        mov [bp + F_DX], ax
        ret

; A drive type: sectors and last cylinder, parameters.
%macro DRIVE 4                          ; last cylinder, sectors, gap, format gap
        db %2, %1
        DISKETTE_PARAMETERS %2, %3, %4
%endmacro
drive_table:
        DRIVE 39, 9, 0x2a, 0x50
        DRIVE 79, 15, 0x1b, 0x54
        DRIVE 79, 9, 0x2a, 0x50
        DRIVE 79, 18, 0x1b, 0x6c
        DRIVE 79, 36, 0x1b, 0x53

; AH = 2: a diskette drive with a change line.
disk_kind:
        mov byte [bp + F_AH], 2
        mov byte [B_FD_STATUS], 0
        mov sp, bp
        jmp disk_out

; Was the medium changed?
disk_change:
        call fdc_select
        mov dx, FDC_DIR
        in al, dx
        test al, 0x80
        jz .same
        mov ah, DISK_CHANGED
        jmp disk_fail
.same:
        ret

; AL = 1 to 4: kind of medium in a kind of drive, for formatting.
disk_set_type:
        cmp al, 1
        jb disk_unknown
        cmp al, 4
        ja disk_unknown
        movzx si, al
        mov al, [cs:si + .states - 1]
        jmp disk_set_state
.states:
        db 0x90, 0x70, 0x10, 0x90       ; 250, 300, 500, 250 kbit/s, known

; CH = last cylinder (low bits), CL = sectors: for formatting. ES:DI = parameters.
disk_set_media:
        mov si, drive_table
        mov ax, [bp + F_CX]
.find:
        cmp ax, [cs:si]
        je .found
        add si, 13
        cmp si, drive_table + 5 * 13
        jb .find
        mov ah, DISK_MEDIA
        jmp disk_fail
.found:
        add si, 2
        mov [bp + F_DI], si
        mov word [bp + F_ES], cs
        cmp cl, 9
        mov al, 0x90
        jbe disk_set_state
        cmp cl, 18
        mov al, 0x10
        jbe disk_set_state
        mov al, 0xd0
; The state of the medium in drive DL.
disk_set_state:
        movzx di, dl
        mov [di + B_FD_MEDIA], al
        ret
