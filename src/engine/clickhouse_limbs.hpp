// Exact sums in ClickHouse of integers of 64 bits: a number is its whole part and four times nine digits (b0 … b4, q0 …
// q4), each summed for itself; these pieces of SQL make one decimal of five sums.
#pragma once

#define CVDD_CH_CARRY(x) "intDiv((" x ")+4000000000000000000,1000000000)-4000000000"
#define CVDD_CH_LIMB(x) "substring(toString(1000000000+(((" x ")+4000000000000000000)%1000000000)),2)"
#define CVDD_CH_T4(v) "g" v "*" v "4"
#define CVDD_CH_T3(v) "g" v "*" v "3+" CVDD_CH_CARRY(CVDD_CH_T4(v))
#define CVDD_CH_T2(v) "g" v "*" v "2+" CVDD_CH_CARRY(CVDD_CH_T3(v))
#define CVDD_CH_T1(v) "g" v "*" v "1+" CVDD_CH_CARRY(CVDD_CH_T2(v))
#define CVDD_CH_T0(v) "g" v "*" v "0+" CVDD_CH_CARRY(CVDD_CH_T1(v))
#define CVDD_CH_WHOLE(v) v "0+" CVDD_CH_CARRY(v "1+" CVDD_CH_CARRY(v "2+" CVDD_CH_CARRY(v "3+" CVDD_CH_CARRY(v "4"))))
#define CVDD_CH_SIGN(v) "if(" CVDD_CH_WHOLE(v) "<0,-1,1) AS g" v
#define CVDD_CH_TEXT(v)                                                                       \
  "replaceRegexpOne(replaceRegexpOne(concat(if(g" v                                           \
  "<0,'-',''),toString(" CVDD_CH_T0(v) "),'.'," CVDD_CH_LIMB(CVDD_CH_T1(v)) "," CVDD_CH_LIMB( \
      CVDD_CH_T2(v)) "," CVDD_CH_LIMB(CVDD_CH_T3(v)) "," CVDD_CH_LIMB(CVDD_CH_T4(v)) "),'0+$',''),'[.]$','')"
#define CVDD_CH_SUMS(v)                                                                                             \
  "arrayCumSum(groupArray(" v "0)) AS a" v "0,arrayCumSum(groupArray(" v "1)) AS a" v "1,arrayCumSum(groupArray(" v \
  "2)) AS a" v "2,arrayCumSum(groupArray(" v "3)) AS a" v "3,arrayCumSum(groupArray(" v "4)) AS a" v "4"
#define CVDD_CH_JOIN(v) "a" v "0 AS " v "0,a" v "1 AS " v "1,a" v "2 AS " v "2,a" v "3 AS " v "3,a" v "4 AS " v "4"
