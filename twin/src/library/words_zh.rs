//! Words for Chinese books: CLC classes with the subjects that stand in them, title forms, names.

/// A class of the Chinese Library Classification: notation, subjects, and whether it holds fiction.
pub(super) struct Class {
    pub notation: &'static str,
    pub subjects: &'static [&'static str],
    pub fiction: bool,
}

const fn of(notation: &'static str, subjects: &'static [&'static str]) -> Class {
    Class { notation, subjects, fiction: false }
}

const fn fiction(notation: &'static str, subjects: &'static [&'static str]) -> Class {
    Class { notation, subjects, fiction: true }
}

/// Classes of the first Chinese face: philosophy, the social sciences, language, literature, art.
pub(super) const HUMANITIES: &[Class] = &[
    of("B2", &["中国哲学", "儒家思想", "宋明理学", "诸子百家"]),
    of("B516.31", &["康德哲学", "德国古典哲学"]),
    of("B82", &["伦理学", "道德教育"]),
    of("B84", &["心理学", "认知心理", "社会心理学"]),
    of("C91", &["社会学", "社会调查方法", "城市社会"]),
    of("C93", &["管理学", "组织行为学"]),
    of("D90", &["法理学", "法学理论"]),
    of("D923", &["民法", "合同法", "物权法"]),
    of("F0", &["政治经济学", "西方经济学", "微观经济学"]),
    of("F270", &["企业管理", "战略管理", "人力资源管理"]),
    of("F832", &["中国金融", "商业银行经营", "货币政策"]),
    of("G206", &["传播学", "新媒体传播"]),
    of("G25", &["图书馆学", "信息检索", "文献编目", "阅览服务"]),
    of("G40", &["教育学", "教育哲学", "课程与教学"]),
    of("G64", &["高等教育", "大学治理"]),
    of("H1", &["现代汉语", "汉语语法", "汉语方言"]),
    of("H31", &["英语阅读", "英语语法", "英汉翻译"]),
    of("I206", &["中国文学史", "文学批评"]),
    fiction("I246.5", &["江湖", "长安", "边城"]),
    fiction("I247.57", &["青春", "故乡", "河流", "长街", "归途", "麦田"]),
    fiction("I267", &["山居", "江南", "灯下", "旅途"]),
    fiction("I313.45", &["雪国", "夏天", "海边"]),
    fiction("I561.45", &["庄园", "雾都", "荒原"]),
    fiction("I712.45", &["西部", "公路", "灯塔"]),
];

/// Classes of the second Chinese face: art, history, science, medicine, engineering.
pub(super) const SCIENCES: &[Class] = &[
    of("J2", &["中国绘画", "书法艺术", "篆刻"]),
    of("J9", &["电影艺术", "影视编剧"]),
    of("K1", &["世界史", "世界近代史"]),
    of("K2", &["中国通史", "中国古代史", "唐代史"]),
    of("K825", &["学者传记", "文人列传"]),
    of("K928", &["中国地理", "名胜古迹"]),
    of("O13", &["高等数学", "数学分析", "常微分方程"]),
    of("O151", &["线性代数", "矩阵论"]),
    of("O4", &["普通物理", "理论力学", "电动力学"]),
    of("O6", &["无机化学", "分析化学"]),
    of("P1", &["天文学", "恒星演化"]),
    of("Q1", &["普通生物学", "生命科学导论"]),
    of("R2", &["中医基础", "本草学", "针灸学"]),
    of("S6", &["园艺学", "果树栽培"]),
    of("TB3", &["材料科学", "复合材料"]),
    of("TH12", &["机械设计", "机械制图"]),
    of("TM1", &["电路", "电工技术"]),
    of("TN91", &["通信原理", "信号与系统", "射频识别技术"]),
    of("TP18", &["人工智能", "机器学习", "神经网络"]),
    of("TP242", &["机器人学", "移动机器人", "机器人控制"]),
    of("TP311.12", &["数据结构", "算法设计"]),
    of("TP311.56", &["软件工程", "程序设计", "软件测试"]),
    of("TP393", &["计算机网络", "网络安全"]),
    of("TU2", &["建筑设计", "建筑史", "图书馆建筑"]),
    of("U46", &["汽车工程", "汽车电子"]),
    of("X5", &["环境污染防治", "环境化学"]),
];

/// Title forms of textbooks and studies; `{}` is the subject.
pub(super) const FORMS: &[&str] = &[
    "{}",
    "{}概论",
    "{}导论",
    "{}原理",
    "{}教程",
    "{}基础",
    "现代{}",
    "{}研究",
    "{}理论与实践",
    "{}史话",
    "{}简明教程",
    "{}案例分析",
    "{}十讲",
    "{}前沿",
    "当代{}",
    "{}新论",
    "{}通识",
    "{}方法",
    "{}手册",
    "{}习题解答",
    "{}论文集",
    "{}与社会",
    "漫谈{}",
    "{}入门",
    "{}发展报告",
    "实用{}",
];

/// Title forms of fiction and essays.
pub(super) const FICTION_FORMS: &[&str] = &[
    "{}往事",
    "{}之春",
    "{}的夜晚",
    "在{}深处",
    "{}来信",
    "最后的{}",
    "{}纪事",
    "{}长歌",
    "遥远的{}",
    "{}与少年",
    "{}三部曲",
    "风过{}",
    "{}无声",
    "回到{}",
    "{}笔记",
    "{}十年",
];

/// Edition and volume notes, empty in most books.
pub(super) const EDITIONS: &[&str] =
    &["", "", "", "", "", "", "", "（第2版）", "（第3版）", "（修订版）", "（上册）", "（下册）"];

/// Family names, by how common they are.
pub(super) const FAMILIES: &[&str] = &[
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "林", "郭",
    "何", "高", "罗", "郑", "梁", "谢", "宋", "唐", "许", "邓", "冯", "韩", "曹", "曾", "彭", "萧", "蔡",
    "潘", "田", "董", "袁", "于", "余", "叶", "蒋", "杜", "苏", "魏", "程", "吕", "丁", "沈", "任", "姚",
    "卢", "钟", "欧阳",
];

/// Characters of given names.
pub(super) const GIVEN: &[&str] = &[
    "伟", "芳", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "霞",
    "平", "刚", "桂", "文", "辉", "玲", "建", "国", "志", "华", "春", "海", "燕", "晓", "雪", "云", "书",
    "瑞", "思", "远", "庆", "宁", "清", "德", "学", "民", "安", "振", "嘉", "怡", "泽", "宇", "子",
];
