package org.backplane.x86.isa;

/** The MMX opcodes (SDM 2D table A-3). Columns are explained in {@link OpcodeTable}. */
final class TableMmx {
    private TableMmx() {}

    static final String TEXT = """
        # opcode  mnemonic   operands      attributes            read     written    undefined
        0F6E      MOVD       Pq,Ed         mmx                   .        .          .
        0F6F      MOVQ       Pq,Qq         mmx                   .        .          .
        0F7E      MOVD       Ed,Pq         mmx                   .        .          .
        0F7F      MOVQ       Qq,Pq         mmx                   .        .          .
        0F77      EMMS       .             mmx                   .        .          .
        0F60      PUNPCKLBW  Pq,Qd         mmx                   .        .          .
        0F61      PUNPCKLWD  Pq,Qd         mmx                   .        .          .
        0F62      PUNPCKLDQ  Pq,Qd         mmx                   .        .          .
        0F63      PACKSSWB   Pq,Qq         mmx                   .        .          .
        0F64      PCMPGTB    Pq,Qq         mmx                   .        .          .
        0F65      PCMPGTW    Pq,Qq         mmx                   .        .          .
        0F66      PCMPGTD    Pq,Qq         mmx                   .        .          .
        0F67      PACKUSWB   Pq,Qq         mmx                   .        .          .
        0F68      PUNPCKHBW  Pq,Qq         mmx                   .        .          .
        0F69      PUNPCKHWD  Pq,Qq         mmx                   .        .          .
        0F6A      PUNPCKHDQ  Pq,Qq         mmx                   .        .          .
        0F6B      PACKSSDW   Pq,Qq         mmx                   .        .          .
        0F74      PCMPEQB    Pq,Qq         mmx                   .        .          .
        0F75      PCMPEQW    Pq,Qq         mmx                   .        .          .
        0F76      PCMPEQD    Pq,Qq         mmx                   .        .          .
        0FD1      PSRLW      Pq,Qq         mmx                   .        .          .
        0FD2      PSRLD      Pq,Qq         mmx                   .        .          .
        0FD3      PSRLQ      Pq,Qq         mmx                   .        .          .
        0FD5      PMULLW     Pq,Qq         mmx                   .        .          .
        0FD8      PSUBUSB    Pq,Qq         mmx                   .        .          .
        0FD9      PSUBUSW    Pq,Qq         mmx                   .        .          .
        0FDB      PAND       Pq,Qq         mmx                   .        .          .
        0FDC      PADDUSB    Pq,Qq         mmx                   .        .          .
        0FDD      PADDUSW    Pq,Qq         mmx                   .        .          .
        0FDF      PANDN      Pq,Qq         mmx                   .        .          .
        0FE1      PSRAW      Pq,Qq         mmx                   .        .          .
        0FE2      PSRAD      Pq,Qq         mmx                   .        .          .
        0FE5      PMULHW     Pq,Qq         mmx                   .        .          .
        0FE8      PSUBSB     Pq,Qq         mmx                   .        .          .
        0FE9      PSUBSW     Pq,Qq         mmx                   .        .          .
        0FEB      POR        Pq,Qq         mmx                   .        .          .
        0FEC      PADDSB     Pq,Qq         mmx                   .        .          .
        0FED      PADDSW     Pq,Qq         mmx                   .        .          .
        0FEF      PXOR       Pq,Qq         mmx                   .        .          .
        0FF1      PSLLW      Pq,Qq         mmx                   .        .          .
        0FF2      PSLLD      Pq,Qq         mmx                   .        .          .
        0FF3      PSLLQ      Pq,Qq         mmx                   .        .          .
        0FF5      PMADDWD    Pq,Qq         mmx                   .        .          .
        0FF8      PSUBB      Pq,Qq         mmx                   .        .          .
        0FF9      PSUBW      Pq,Qq         mmx                   .        .          .
        0FFA      PSUBD      Pq,Qq         mmx                   .        .          .
        0FFC      PADDB      Pq,Qq         mmx                   .        .          .
        0FFD      PADDW      Pq,Qq         mmx                   .        .          .
        0FFE      PADDD      Pq,Qq         mmx                   .        .          .
        0F71/2r   PSRLW      Nq,Ib         mmx                   .        .          .
        0F71/4r   PSRAW      Nq,Ib         mmx                   .        .          .
        0F71/6r   PSLLW      Nq,Ib         mmx                   .        .          .
        0F72/2r   PSRLD      Nq,Ib         mmx                   .        .          .
        0F72/4r   PSRAD      Nq,Ib         mmx                   .        .          .
        0F72/6r   PSLLD      Nq,Ib         mmx                   .        .          .
        0F73/2r   PSRLQ      Nq,Ib         mmx                   .        .          .
        0F73/6r   PSLLQ      Nq,Ib         mmx                   .        .          .
        """;
}
