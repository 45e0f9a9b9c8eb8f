; Time: the 8254 ticks, the clock of the CMOS counts seconds, the TSC measures the gaps.

PIT_HZ          equ 1193182
CALIBRATION     equ 16                  ; ticks

clock_start:
        call rate_set
        mov dword [tsc_per_us], 0
        mov al, 0x0b                    ; interrupt after each update; 24 hours, BCD
        out 0x70, al
        mov al, 0x12
        out 0x71, al
        mov al, 0x0c
        out 0x70, al
        in al, 0x71
        jmp rtc_read

rate_next:
        mov eax, [rate]
        inc eax
        cmp eax, RATES
        jb .store
        xor eax, eax
.store:
        mov [rate], eax
; Sets the timer to its rate and shows it. The gap is measured anew.
rate_set:
        mov eax, [rate]
        mov ecx, [rates + eax * 4]
        mov [tick_hz], ecx
        mov eax, PIT_HZ
        xor edx, edx
        div ecx
        mov ecx, eax
        mov al, 0x34
        out 0x43, al
        mov al, cl
        out 0x40, al
        mov al, ch
        out 0x40, al
        mov dword [gap_longest], 0
        mov dword [gap_before], 0
        mov dword [gap_start], 0
        mov dword [gap_start + 4], 0
        mov eax, [tick_hz]
        mov edi, AT(ROW_TIMER, 36)
        mov ecx, 4
        mov bh, ATTR_TEXT
        jmp draw_number

rates:  dd 100, 250, 1000, 25
RATES   equ ($ - rates) / 4

irq_timer:
        pushad
        inc dword [ticks]
        rdtsc
        mov ebx, eax
        mov ecx, edx
        mov esi, [gap_start]
        or esi, [gap_start + 4]
        jz .first
        sub eax, [gap_start]
        sbb edx, [gap_start + 4]
        mov esi, [tsc_per_us]
        test esi, esi
        jz .uncalibrated
        cmp edx, esi                    ; more than an hour: no number for that
        jae .first
        div esi
        cmp eax, [gap_longest]
        jbe .first
        mov [gap_longest], eax
        jmp .first
.uncalibrated:                          ; TSC ticks of the first interrupts, by the rate of the timer
        cmp dword [ticks], CALIBRATION
        jb .sum
        mov eax, [calibration]
        mov edx, [calibration + 4]
        mov esi, 1000000 / 100 * (CALIBRATION - 2)
        cmp edx, esi
        jae .first
        div esi
        test eax, eax
        jz .first
        mov [tsc_per_us], eax
        jmp .first
.sum:
        add [calibration], eax
        adc [calibration + 4], edx
.first:
        mov [gap_start], ebx
        mov [gap_start + 4], ecx
        mov al, 0x20
        out PIC1, al
        popad
        iret

irq_clock:
        pushad
        mov al, 0x0c                    ; reading it acknowledges
        out 0x70, al
        in al, 0x71
        inc dword [rtc_interrupts]
        inc dword [seconds]
        mov byte [second_passed], 1
        mov ebx, [rtc_seconds]
        call rtc_read
        mov eax, [rtc_seconds]
        sub eax, ebx
        jns .same_day
        add eax, 86400
.same_day:
        dec eax                         ; seconds without an interrupt
        js .done
        add [rtc_missed], eax
.done:
        mov al, 0x20
        out PIC2, al
        out PIC1, al
        popad
        iret

; Reads the clock; it has just been updated, or this is the start.
rtc_read:
        mov esi, .registers
        mov edi, rtc_time
        mov ecx, 7
.next:
        lodsb
        out 0x70, al
        in al, 0x71
        stosb
        loop .next
        mov al, [rtc_time + 2]
        call .value
        imul edx, eax, 3600
        mov al, [rtc_time + 1]
        call .value
        imul eax, eax, 60
        add edx, eax
        mov al, [rtc_time]
        call .value
        add eax, edx
        mov [rtc_seconds], eax
        ret
.value:                                 ; EAX = value of the BCD byte AL
        movzx eax, al
        mov ah, al
        shr ah, 4
        and al, 0x0f
        aad
        ret
.registers: db 0x00, 0x02, 0x04, 0x07, 0x08, 0x09, 0x32
